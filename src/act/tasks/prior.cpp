#include <act/error.hpp>
#include <act/tasks/prior.hpp>
#include <act/tasks/sample.hpp>
#include <act/tasks/task.hpp>

#include <string>

namespace act::tasks {

sample content_free(const task& of, sample emptied, bool keep_options, const std::string& file) {
  if (of.kind == task_kind::open_ended) {
    throw error(error_code::unsupported, "prior", "task '" + of.name + "' has no labels, so no label prior");
  }
  if (of.kind == task_kind::verbatim) {
    const auto prior = emptied.fields.find("prior_prompt");
    if (prior == emptied.fields.end()) {
      throw error(error_code::unsupported,
                  (file.empty() ? "" : file + ": ") + "sample " + std::to_string(emptied.index),
                  "has no \"prior_prompt\"; add the prompt without the sample's own text to its line");
    }
    emptied.fields["prompt"] = prior->second;
    return emptied;
  }
  for (auto& [name, text] : emptied.fields) {
    if (of.pattern.find("{" + name + "}") != std::string::npos) {
      text.clear();
    }
  }
  if (!keep_options) {
    for (std::string& choice : emptied.choices) {
      choice.clear();
    }
  }
  return emptied;
}

}  // namespace act::tasks
