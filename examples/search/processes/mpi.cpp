// Processes that talk by MPI. One thread of each talks; the first answers between the batches of its own
// blocks, so every other one is given a second block while it runs the first.
#include <act/error.hpp>
#include <act/search/block_dealer.hpp>
#include <act/search/plan.hpp>
#include <act/search/trial_block.hpp>
#include <act/search/trial_workers.hpp>

#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "programs/exit_codes.hpp"
#include "search/processes/launched.hpp"
#include "search/processes/processes.hpp"

namespace act_program {

namespace {

using act::search::block_result;
using act::search::trial_block;

enum tag : int { give_block, give_result, tell_progress, tell_failure, say_stop, say_gone };

// A message in the making: numbers and texts one behind another, for processes of the same program.
class packed {
 public:
  packed() = default;
  explicit packed(std::vector<char> bytes) : bytes_(std::move(bytes)) {}

  template <class Number>
  void add(Number value) {
    add_bytes(&value, sizeof value);
  }
  void add_bytes(const void* from, std::size_t count) {
    const auto* const bytes = static_cast<const char*>(from);
    bytes_.insert(bytes_.end(), bytes, bytes + count);
  }
  template <class Number>
  [[nodiscard]] Number take() {
    Number value{};
    take_bytes(&value, sizeof value);
    return value;
  }
  void take_bytes(void* to, std::size_t count) {
    if (count > bytes_.size() - at_) refuse();
    if (count > 0) std::memcpy(to, bytes_.data() + at_, count);
    at_ += count;
  }
  // How many numbers of `size` bytes follow, at most.
  [[nodiscard]] std::size_t take_count(std::size_t size) {
    const auto count = take<std::uint64_t>();
    if (count > (bytes_.size() - at_) / size) refuse();
    return static_cast<std::size_t>(count);
  }
  [[nodiscard]] std::string take_rest() {
    std::string text(bytes_.begin() + static_cast<std::ptrdiff_t>(at_), bytes_.end());
    at_ = bytes_.size();
    return text;
  }

  void send(int to, tag what) const {
    MPI_Send(bytes_.data(), static_cast<int>(bytes_.size()), MPI_BYTE, to, what, MPI_COMM_WORLD);
  }

 private:
  [[noreturn]] static void refuse() {
    throw act::error(act::error_code::mismatch, "processes",
                     "run different versions of act-search; start the same one everywhere");
  }

  std::vector<char> bytes_;
  std::size_t at_ = 0;
};

struct message {
  int from = 0;
  int what = 0;
  packed content;
};

// The next message that has arrived, of any kind or of one.
std::optional<message> arrived(int from = MPI_ANY_SOURCE, int what = MPI_ANY_TAG) {
  int there = 0;
  MPI_Status status;
  MPI_Iprobe(from, what, MPI_COMM_WORLD, &there, &status);
  if (there == 0) return std::nullopt;
  int size = 0;
  MPI_Get_count(&status, MPI_BYTE, &size);
  std::vector<char> bytes(static_cast<std::size_t>(size));
  MPI_Recv(bytes.data(), size, MPI_BYTE, status.MPI_SOURCE, status.MPI_TAG, MPI_COMM_WORLD,
           MPI_STATUS_IGNORE);
  return message{.from = status.MPI_SOURCE, .what = status.MPI_TAG, .content = packed(std::move(bytes))};
}

// Waiting without keeping a core busy: MPI's own calls spin.
void wait_a_little() {
  std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

packed packed_block(const trial_block& block, std::uint64_t plan, std::uint64_t number) {
  packed made;
  made.add(plan);
  made.add(number);
  made.add(static_cast<std::uint64_t>(block.kind));
  for (const std::size_t value :
       {block.chunk.begin, block.chunk.end, block.layer, block.strength, block.heads.size()})
    made.add(static_cast<std::uint64_t>(value));
  for (const std::size_t head : block.heads)
    made.add(static_cast<std::uint64_t>(head));
  return made;
}

trial_block unpacked_block(packed& from) {
  trial_block block;
  block.kind = static_cast<act::search::block_kind>(from.take<std::uint64_t>());
  block.chunk.begin = from.take<std::uint64_t>();
  block.chunk.end = from.take<std::uint64_t>();
  block.layer = from.take<std::uint64_t>();
  block.strength = from.take<std::uint64_t>();
  block.heads.resize(from.take_count(sizeof(std::uint64_t)));
  for (std::size_t& head : block.heads)
    head = from.take<std::uint64_t>();
  return block;
}

packed packed_result(const block_result& result, std::uint64_t number) {
  packed made;
  made.add(number);
  made.add(result.work);
  made.add(static_cast<std::uint64_t>(result.scores.size()));
  for (const std::vector<double>& scores : result.scores) {
    made.add(static_cast<std::uint64_t>(scores.size()));
    made.add_bytes(scores.data(), scores.size() * sizeof(double));
  }
  made.add(static_cast<std::uint64_t>(result.has_sinks.size()));
  made.add_bytes(result.has_sinks.data(), result.has_sinks.size());
  made.add(static_cast<std::uint64_t>(result.initial_mass.size()));
  made.add_bytes(result.initial_mass.data(), result.initial_mass.size() * sizeof(double));
  return made;
}

block_result unpacked_result(packed& from) {
  block_result result;
  result.work = from.take<act::search::search_work>();
  result.scores.resize(from.take_count(sizeof(std::uint64_t)));
  for (std::vector<double>& scores : result.scores) {
    scores.resize(from.take_count(sizeof(double)));
    from.take_bytes(scores.data(), scores.size() * sizeof(double));
  }
  result.has_sinks.resize(from.take_count(1));
  from.take_bytes(result.has_sinks.data(), result.has_sinks.size());
  result.initial_mass.resize(from.take_count(sizeof(double)));
  from.take_bytes(result.initial_mass.data(), result.initial_mass.size() * sizeof(double));
  return result;
}

// Whether processes see the same search: FNV-1a of all that its scores depend on.
std::uint64_t fingerprint_of(const act::search::search_plan& plan) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : plan.identity())
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return hash;
}

// The first process and what it gives to the others.
class dealt_workers : public act::search::trial_workers {
 public:
  dealt_workers(const act::runtime::model& model, const act::search::search_plan& plan, int count)
      : runner_(model, plan), plan_(fingerprint_of(plan)), given_(static_cast<std::size_t>(count)) {}

  void run(std::span<const trial_block> blocks, const act::search::block_listener& listener) override {
    act::search::block_dealer dealer(blocks, given_.size());
    std::size_t unfinished = blocks.size();
    const auto talk = [&] {
      while (std::optional<message> each = arrived())
        unfinished -= hear(*each, blocks, listener) ? 1 : 0;
      give(dealer, blocks);
    };
    while (unfinished > 0) {
      talk();
      if (const std::optional<std::size_t> own = dealer.next(0)) {
        const trial_block& block = blocks[*own];
        block_result result = runner_.run(block, [&](std::size_t trials) {
          listener.advanced(block, trials);
          talk();
        });
        listener.done(block, std::move(result));
        --unfinished;
      } else if (unfinished > 0) {
        listener.advanced(blocks.front(), 0);  // it may want to stop
        wait_a_little();
      }
    }
  }

 private:
  // Whether a block is finished by it.
  bool hear(message& told, std::span<const trial_block> blocks, const act::search::block_listener& listener) {
    if (told.what == tell_failure) {
      throw act::error(act::error_code::invalid_input, "process " + std::to_string(told.from),
                       told.content.take_rest());
    }
    std::deque<std::size_t>& given = given_[static_cast<std::size_t>(told.from)];
    const auto number = told.content.take<std::uint64_t>();
    if (given.empty() || number != given.front() || number >= blocks.size()) {
      throw act::error(act::error_code::mismatch, "process " + std::to_string(told.from),
                       "answers what it wasn't asked; start the same act-search everywhere");
    }
    const trial_block& block = blocks[number];
    if (told.what == tell_progress) {
      listener.advanced(block, told.content.take<std::uint64_t>());
      return false;
    }
    given.pop_front();
    listener.done(block, unpacked_result(told.content));
    return true;
  }

  void give(act::search::block_dealer& dealer, std::span<const trial_block> blocks) {
    for (std::size_t process = 1; process < given_.size(); ++process) {
      // Two at a time, but at the end.
      while (given_[process].empty() || (given_[process].size() < 2 && dealer.left() > 2 * given_.size())) {
        const std::optional<std::size_t> number = dealer.next(process);
        if (!number) break;
        packed_block(blocks[*number], plan_, *number).send(static_cast<int>(process), give_block);
        given_[process].push_back(*number);
      }
    }
  }

  act::search::block_runner runner_;
  std::uint64_t plan_;
  std::vector<std::deque<std::size_t>> given_;  // of each process, what it hasn't answered
};

// Thrown within a block when the first process wants no more.
struct stopped {};

}  // namespace

struct processes::parts {
  int rank = 0;
  int count = 1;
  bool started = false;
};

processes::processes() : parts_(std::make_unique<parts>()) {
  bool launched = false;
  for (const char* name : size_variables)
    launched = launched || std::getenv(name) != nullptr;
  for (const char* name : rank_variables)
    launched = launched || std::getenv(name) != nullptr;
  if (!launched) return;
  int provided = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
  parts_->started = true;
  MPI_Comm_rank(MPI_COMM_WORLD, &parts_->rank);
  MPI_Comm_size(MPI_COMM_WORLD, &parts_->count);
}

processes::~processes() {
  if (!parts_->started) return;
  if (leads()) {
    for (int other = 1; other < parts_->count; ++other)
      packed().send(other, say_stop);
    // What they still send is of no use. One that is dead doesn't answer.
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    for (int gone = 1; gone < parts_->count;) {
      if (const std::optional<message> last = arrived()) {
        gone += last->what == say_gone ? 1 : 0;
      } else if (std::chrono::steady_clock::now() > patience) {
        MPI_Abort(MPI_COMM_WORLD, exit_bad_input);
      } else {
        wait_a_little();
      }
    }
  }
  MPI_Finalize();
}

std::size_t processes::count() const noexcept {
  return static_cast<std::size_t>(parts_->count);
}

bool processes::leads() const noexcept {
  return parts_->rank == 0;
}

std::unique_ptr<act::search::trial_workers> processes::workers(const act::runtime::model& model,
                                                               const act::search::search_plan& plan) {
  if (parts_->count == 1) return std::make_unique<act::search::local_workers>(model, plan);
  return std::make_unique<dealt_workers>(model, plan, parts_->count);
}

void processes::serve(const act::runtime::model& model, const act::search::search_plan& plan) {
  act::search::block_runner runner(model, plan);
  const std::uint64_t own_plan = fingerprint_of(plan);
  const auto check_stop = [] {
    if (arrived(0, say_stop)) throw stopped();
  };
  try {
    while (true) {
      check_stop();
      std::optional<message> task = arrived(0, give_block);
      if (!task) {
        wait_a_little();
        continue;
      }
      if (task->content.take<std::uint64_t>() != own_plan) {
        throw act::error(
            act::error_code::mismatch, "it",
            "prepares other samples or has another model than the first process; give all the same "
            "files");
      }
      const auto number = task->content.take<std::uint64_t>();
      const block_result result = runner.run(unpacked_block(task->content), [&](std::size_t trials) {
        check_stop();
        packed progress;
        progress.add(number);
        progress.add(static_cast<std::uint64_t>(trials));
        progress.send(0, tell_progress);
      });
      packed_result(result, number).send(0, give_result);
    }
  } catch (const stopped&) {
    packed().send(0, say_gone);
  }
}

void processes::failed(std::string_view what) noexcept {
  if (!parts_->started || leads()) return;
  packed failure;
  failure.add_bytes(what.data(), what.size());
  failure.send(0, tell_failure);
  while (!arrived(0, say_stop))
    wait_a_little();
  packed().send(0, say_gone);
  MPI_Finalize();
  std::_Exit(exit_bad_input);
}

}  // namespace act_program
