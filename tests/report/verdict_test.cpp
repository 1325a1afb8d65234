// The sentence that tells a real gain from a shifted label prior.
#include <doctest/doctest.h>
#include <act/report/evaluation_report.hpp>
#include <act/tasks/evaluate.hpp>

#include <string>

namespace {

act::tasks::evaluation moved(act::statistics::interval accuracy, act::statistics::interval area) {
  act::tasks::evaluation result;
  result.n = 200;
  result.calibrated = act::tasks::accuracy_summary{};
  act::tasks::accuracy_difference difference;
  difference.ci95 = accuracy;
  difference.auc = 0.5 * (area.lo + area.hi);
  difference.auc_ci95 = area;
  result.difference = difference;
  return result;
}

const act::statistics::interval up{0.01, 0.09}, down{-0.09, -0.01}, still{-0.02, 0.03};

}  // namespace

TEST_CASE("the verdict says which of accuracy and AUC moved, and what that means") {
  const auto says = [](act::statistics::interval accuracy, act::statistics::interval area,
                       const std::string& what) {
    const std::string sentence = act::report::verdict(moved(accuracy, area));
    CAPTURE(sentence);
    CHECK(sentence.find(what) != std::string::npos);
  };
  says(up, up, "a real gain");
  says(up, still, "a corrected label prior");
  says(up, down, "Accuracy rose while AUC fell");
  says(still, up, "AUC rose but accuracy didn't measurably move");
  says(still, down, "AUC fell and accuracy didn't measurably move");
  says(still, still, "Neither accuracy nor AUC moved");
  says(down, up, "Accuracy fell while AUC rose");
  says(down, still, "the labels' prior shifted the wrong way");
  says(down, down, "do harm");
}

TEST_CASE("an interval that touches zero isn't a movement") {
  CHECK(act::report::verdict(moved({0.0, 0.05}, {0.0, 0.02})).find("Neither") != std::string::npos);
}

TEST_CASE("without a calibrated pass there is nothing to say") {
  CHECK(act::report::verdict({}).empty());
}
