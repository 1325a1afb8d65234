#include "serve/http_door.hpp"

#include <sys/socket.h>
#include <unistd.h>
#include <act/serve/refusal.hpp>
#include <act/serve/request_head.hpp>

#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "serve/client_stream.hpp"
#include "serve/connection_threads.hpp"

namespace act_program {
namespace {

constexpr std::size_t most_head_bytes = std::size_t{1} << 16;
constexpr std::chrono::milliseconds to_take_leave{1000};

// Whose request this thread answers: cpp-httplib's handlers aren't told.
thread_local client_stream* answering = nullptr;

bool client_left() {
  return answering != nullptr && answering->gone();
}

void set_answer(httplib::Response& response, int status, unsigned retry_after, const std::string& body) {
  response.status = status;
  if (retry_after > 0) response.set_header("Retry-After", std::to_string(retry_after));
  response.set_content(body, "application/json");
}

void set_refusal(httplib::Response& response, const act::serve::refusal& refused) {
  set_answer(response, refused.status(), refused.retry_after(), refused.body());
}

act::serve::refusal too_many_connections() {
  return act::serve::refusal("", "too many connections; try again later").with_status(503).retry_after(1);
}

// The head, if it is one that is answered further.
void check(const httplib::Request& request, std::size_t body_bytes) {
  act::serve::request_head head{.method = request.method,
                                .path = request.path,
                                .content_lengths = {},
                                .transfer_encoding = request.get_header_value("Transfer-Encoding"),
                                .content_encoding = request.get_header_value("Content-Encoding"),
                                .content_type = request.get_header_value("Content-Type")};
  for (std::size_t i = 0; i < request.get_header_value_count("Content-Length"); ++i)
    head.content_lengths.push_back(request.get_header_value("Content-Length", i));
  act::serve::check_head(head, body_bytes);
}

}  // namespace

http_door::http_door(act::serve::service& service, const door_options& options)
    : service_(service), options_(options) {
  new_task_queue = [this] { return new connection_threads(options_.connections); };
  // The library would share a port that is taken: clients then reach one of two programs.
  set_socket_options([](socket_t socket) {
    const int yes = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
    try {
      check(request, options_.body_bytes);
      return HandlerResponse::Unhandled;
    } catch (const act::serve::refusal& refused) {
      set_refusal(response, refused);
      return HandlerResponse::Handled;
    }
  });
  // A client that asks before it sends is told before it sends, too.
  set_expect_100_continue_handler([this](const httplib::Request& request, httplib::Response& response) {
    try {
      check(request, options_.body_bytes);
      return 100;
    } catch (const act::serve::refusal& refused) {
      set_refusal(response, refused);
      return refused.status();
    }
  });
  const auto answer_get = [this](const httplib::Request& request, httplib::Response& response) {
    answer(request, response, {nullptr, nullptr});
  };
  const auto answer_post = [this](const httplib::Request& request, httplib::Response& response,
                                  const httplib::ContentReader& content) {
    answer(request, response, content);
  };
  for (const act::serve::served_path& each : act::serve::served_paths) {
    if (each.method == "GET") {
      Get(std::string(each.path), answer_get);
    } else {
      Post(std::string(each.path), answer_post);
    }
  }
  // What cpp-httplib refuses by itself: a head that is none.
  set_error_handler(HandlerWithResponse([](const httplib::Request&, httplib::Response& response) {
    if (!response.body.empty() || response.content_provider_) return HandlerResponse::Unhandled;
    const bool late = answering != nullptr && answering->late();
    set_refusal(response, act::serve::refusal(
                              "", late ? "the request took too long to come" : "this is no request of HTTP")
                              .with_status(late ? 408 : response.status));
    return HandlerResponse::Handled;
  }));
  set_exception_handler([](const httplib::Request&, httplib::Response& response, const std::exception_ptr&) {
    set_refusal(response, act::serve::refusal("", "something went wrong here").with_status(500));
  });
  if (!options_.quiet) {
    set_logger([](const httplib::Request& request, const httplib::Response& response) {
      const bool known = act::serve::method_of(request.path).has_value();
      const std::chrono::duration<double> taken =
          answering != nullptr ? answering->open_for() : client_stream::clock::duration();
      std::fprintf(stderr, "act-serve: %s: %d, %.3f s\n", known ? request.path.c_str() : "(no path of ours)",
                   response.status, taken.count());
    });
  }
}

void http_door::close() {
  stopping_ = true;
  stop();
}

void http_door::answer(const httplib::Request& request, httplib::Response& response,
                       const httplib::ContentReader& content) const {
  std::string body;
  try {
    if (request.method == "POST") {
      bool fits = true;
      const bool whole = content([&](const char* bytes, std::size_t count) {
        fits = count <= options_.body_bytes - body.size();
        if (fits) body.append(bytes, count);
        return fits;
      });
      if (!fits) act::serve::refuse_long_body(options_.body_bytes);
      if (!whole) {
        const bool late = answering != nullptr && answering->late();
        throw act::serve::refusal("", late ? "the body took too long to come" : "the body isn't whole")
            .with_status(late ? 408 : 400);
      }
    }
    std::optional<act::serve::service_answer> made = service_.answer(request.path, body, client_left);
    if (!made) {  // nobody is there to read it; the log has what nginx calls that
      response.status = 499;
      return;
    }
    if (!made->events) {
      set_answer(response, made->status, made->retry_after, made->body);
      return;
    }
    const std::shared_ptr<act::serve::event_stream> events = std::move(made->events);
    response.set_chunked_content_provider(
        "text/event-stream", [events](std::size_t, httplib::DataSink& sink) {
          // In one call: between calls the library would break off a stream when it is stopped.
          while (const std::optional<std::string> next = events->next(client_left)) {
            if (!sink.write(next->data(), next->size())) return false;
          }
          sink.done();
          return true;
        });
    response.set_header("Cache-Control", "no-cache");
  } catch (const act::serve::refusal& refused) {
    set_refusal(response, refused);
  }
}

bool http_door::process_and_close_socket(socket_t socket) {
  const bool answered = serve_connection(socket);
  ::close(socket);
  return answered;
}

bool http_door::serve_connection(socket_t socket) {
  using treatment = connection_threads::treatment;
  const treatment how = connection_threads::of_this_thread();
  if (how == treatment::drop) return false;
  client_stream stream(socket, {.time = options_.client_time, .bytes = options_.body_bytes + most_head_bytes},
                       stopping_);
  if (how == treatment::turn_away) {
    const act::serve::refusal refused = too_many_connections();
    const std::string body = refused.body();
    const std::string whole =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: " + std::to_string(refused.retry_after()) +
        "\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body;
    (void)stream.write(whole.data(), whole.size());
    stream.end(to_take_leave / 5);
    return false;
  }
  answering = &stream;
  bool closed = false;
  const bool answered = process_request(stream, true, closed, [](httplib::Request& request) {
    request.ranges.clear();                    // answers are whole
    request.headers.erase("Accept-Encoding");  // and as they are
  });
  answering = nullptr;
  stream.end(to_take_leave);
  return answered;
}

}  // namespace act_program
