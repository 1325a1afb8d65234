// The queue: what waits is bounded, nothing is lost, and what nobody waits for stops.
#include <doctest/doctest.h>
#include <act/serve/work_queue.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "serve/refused.hpp"

using act::serve::work;
using act::serve::work_queue;
using act_test::refused;
using std::chrono::milliseconds;

namespace {

const std::function<bool()> stays = [] { return false; };
constexpr milliseconds long_time{60'000};

std::string all_of(work_queue::place& from) {
  std::string text;
  while (const std::optional<std::string> piece = from.next(stays))
    text += *piece;
  return text;
}

// Works until it is let go, or told to stop.
struct held {
  std::atomic<bool> began{false}, go{false}, stopped{false};

  void operator()(work& on) {
    began = true;
    try {
      while (!go) {
        on.check();
        std::this_thread::sleep_for(milliseconds(1));
      }
    } catch (...) {
      stopped = true;
      throw;
    }
    on.give("done");
  }
};

void wait_for(const std::function<bool()>& holds) {
  for (int i = 0; i < 20'000 && !holds(); ++i)
    std::this_thread::sleep_for(milliseconds(1));
  CHECK(holds());
}

}  // namespace

TEST_CASE("pieces come in their order, and what goes wrong comes to who waits") {
  work_queue queue(1, 4);
  auto good = queue.submit(
      [](work& on) {
        for (const char* piece : {"a", "b", "c"})
          on.give(piece);
      },
      long_time);
  auto bad = queue.submit([](work&) { throw std::runtime_error("no"); }, long_time);
  CHECK(all_of(good) == "abc");
  CHECK_THROWS_WITH_AS(all_of(bad), "no", std::runtime_error);
}

TEST_CASE("what waits is bounded, and a place that is let go of is free again") {
  held first;
  work_queue queue(1, 2);
  auto running = queue.submit(std::ref(first), long_time);
  wait_for([&] { return first.began.load(); });
  std::vector<work_queue::place> places;
  std::atomic<int> ran{0};
  const auto count = [&](work&) { ++ran; };
  places.push_back(queue.submit(count, long_time));
  places.push_back(queue.submit(count, long_time));
  CHECK(queue.running() == 1);
  CHECK(queue.waiting() == 2);
  CHECK(refused([&] { (void)queue.submit(count, long_time); }).status == 503);
  places.pop_back();
  CHECK(queue.waiting() == 1);
  places.push_back(queue.submit(count, long_time));
  first.go = true;
  CHECK(all_of(running) == "done");
  for (work_queue::place& each : places)
    CHECK(all_of(each).empty());
  CHECK(ran == 2);  // the one that was let go of never ran
}

TEST_CASE("a queue without places takes what a free worker does at once") {
  work_queue queue(2, 0);
  held one, two;
  auto first = queue.submit(std::ref(one), long_time);
  auto second = queue.submit(std::ref(two), long_time);
  CHECK(refused([&] { (void)queue.submit(std::ref(one), long_time); }).status == 503);
  one.go = two.go = true;
  CHECK(all_of(first) == "done");
  CHECK(all_of(second) == "done");
}

TEST_CASE("work stops when its client left, when it takes too long, and when its place is let go of") {
  work_queue queue(1, 4);
  {
    held left;
    auto place = queue.submit(std::ref(left), long_time);
    wait_for([&] { return left.began.load(); });
    CHECK_THROWS_AS((void)place.next([] { return true; }), act::serve::unwanted);
    wait_for([&] { return left.stopped.load(); });
  }
  {
    held late;
    auto place = queue.submit(std::ref(late), milliseconds(500));  // time to begin on a busy machine
    const auto why = refused([&] { (void)place.next(stays); });
    CHECK(why.status == 503);
    CHECK(why.message.find("0.5 s") != std::string::npos);
    wait_for([&] { return late.stopped.load(); });
  }
  {
    held forgotten;
    {
      const auto place = queue.submit(std::ref(forgotten), long_time);
      wait_for([&] { return forgotten.began.load(); });
    }
    wait_for([&] { return forgotten.stopped.load(); });
  }
  // Time counts while it waits, too.
  held first;
  auto running = queue.submit(std::ref(first), long_time);
  wait_for([&] { return first.began.load(); });
  std::atomic<bool> ran{false};
  auto waiting = queue.submit([&](work&) { ran = true; }, milliseconds(60));
  CHECK(refused([&] { (void)waiting.next(stays); }).status == 503);
  first.go = true;
  CHECK(all_of(running) == "done");
  auto last = queue.submit([](work&) {}, long_time);
  CHECK(all_of(last).empty());
  CHECK(!ran);
}

TEST_CASE("a closed queue lets work end, refuses what waits, and stops what doesn't end") {
  held quick, endless;
  work_queue queue(2, 4);
  auto first = queue.submit(std::ref(quick), long_time);
  auto second = queue.submit(std::ref(endless), long_time);
  wait_for([&] { return quick.began.load() && endless.began.load(); });
  auto waiting = queue.submit([](work&) {}, long_time);
  quick.go = true;
  queue.close(milliseconds(200));
  CHECK(all_of(first) == "done");
  CHECK(refused([&] { (void)all_of(second); }).status == 503);
  CHECK(refused([&] { (void)all_of(waiting); }).status == 503);
  CHECK(refused([&] { (void)queue.submit([](work&) {}, long_time); }).status == 503);
  CHECK(endless.stopped);
}

TEST_CASE("many at once: each gets its own answer, or is told that there is no room") {
  work_queue queue(2, 3);
  std::atomic<int> answered{0}, refusals{0};
  std::vector<std::thread> clients;
  for (int client = 0; client < 8; ++client) {
    clients.emplace_back([&, client] {
      for (int i = 0; i < 50; ++i) {
        const std::string own = std::to_string(client) + ":" + std::to_string(i);
        try {
          auto place = queue.submit([&](work& on) { on.give(own); }, long_time);
          if (all_of(place) == own) ++answered;
        } catch (const act::serve::refusal&) {
          ++refusals;
        }
      }
    });
  }
  for (std::thread& each : clients)
    each.join();
  CHECK(answered + refusals == 400);
  CHECK(answered > 0);
  wait_for([&] { return queue.running() == 0; });
  CHECK(queue.waiting() == 0);
}
