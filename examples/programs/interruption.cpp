#include "programs/interruption.hpp"

#include <atomic>
#include <csignal>

namespace act_program {

namespace {

std::atomic<bool> interruption_requested{false};

}  // namespace

void listen_for_interruption() {
  struct sigaction action {};
  action.sa_handler = [](int) { interruption_requested = true; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

void stop_if_interrupted() {
  if (interruption_requested) throw interrupted();
}

}  // namespace act_program
