#include "llama_cpp/chosen_heads.hpp"

#include <act/error.hpp>
#include <act/search/heads_file.hpp>
#include <act/tasks/named_calibration.hpp>

#include <optional>

#include "llama_cpp/session.hpp"
#include "programs/flags.hpp"

namespace act_llama {

std::vector<layer_choice> read_heads(const std::string& path, const act_program::calibration_flags& flags,
                                     const loaded_model& model) {
  const std::optional<act::search::heads_file> file = act::search::read_heads_file(path);
  const act::tasks::named_calibration named = flags.over(file);
  if (named.masks || named.subset) {
    throw act::error(act::error_code::unsupported, path,
                     "masks heads or changes a part of each prompt, which the hook doesn't");
  }
  if (!file->model.architecture.empty() && file->model.architecture != model.architecture()) {
    throw act::error(act::error_code::mismatch, path,
                     "has heads of architecture " + file->model.architecture + ", and the model's is " +
                         model.architecture());
  }
  const std::vector<double> strengths = act::search::strengths_under(*file, named, path);
  std::vector<layer_choice> chosen;
  for (const act::layer_head& each : file->heads) {
    if (each.layer >= model.layers() || each.head >= model.heads()) {
      throw act::error(act::error_code::mismatch, path,
                       "head " + std::to_string(each.head) + " of layer " + std::to_string(each.layer) +
                           " isn't in the model, which has " + std::to_string(model.layers()) +
                           " layers of " + std::to_string(model.heads()) + " heads");
    }
    layer_choice added{each.layer, {each.head, named.options}};
    if (!strengths.empty()) {
      const bool renormalises = named.options.redistribute == act::redistribution::renormalised;
      (renormalises ? added.head.options.factor : added.head.options.beta) = strengths[chosen.size()];
    }
    chosen.push_back(added);
  }
  return chosen;
}

}  // namespace act_llama
