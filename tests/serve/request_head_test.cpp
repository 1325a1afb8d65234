// What is decided before a body is read.
#include <doctest/doctest.h>
#include <act/serve/request_head.hpp>

#include <string>
#include <vector>

#include "serve/refused.hpp"

using act_test::refused;

namespace {

act::serve::request_head post() {
  return {.method = "POST",
          .path = "/v1/completions",
          .content_lengths = {"10"},
          .transfer_encoding = {},
          .content_encoding = {},
          .content_type = "application/json; charset=utf-8"};
}

int status(const act::serve::request_head& head) {
  return refused([&] { act::serve::check_head(head, 100); }).status;
}

}  // namespace

TEST_CASE("paths and methods that there are") {
  CHECK(status(post()) == 0);
  for (const act::serve::served_path& each : act::serve::served_paths) {
    act::serve::request_head head = post();
    head.path = each.path;
    head.method = each.method;
    CHECK(status(head) == 0);
    head.method = each.method == "GET" ? "POST" : "GET";
    CHECK(status(head) == 405);
    head.method = "OPTIONS";
    CHECK(status(head) == 405);
  }
  for (const char* path : {"/", "", "/v1/completions/", "/v1/completions/../models", "//v1/models",
                           "/etc/passwd", "/V1/models", "/v1/models\n"}) {
    act::serve::request_head head = post();
    head.path = path;
    CHECK(status(head) == 404);
  }
}

TEST_CASE("bodies that are taken") {
  const auto of_length = [](std::vector<std::string> lengths) {
    act::serve::request_head head = post();
    head.content_lengths = std::move(lengths);
    return status(head);
  };
  CHECK(of_length({"0"}) == 0);
  CHECK(of_length({"100"}) == 0);
  CHECK(of_length({"101"}) == 413);
  CHECK(of_length({"18446744073709551616"}) == 413);
  CHECK(of_length({}) == 411);
  for (const char* length : {"", " 5", "5 ", "-1", "+5", "0x5", "5,5", "five"}) {
    CAPTURE(length);
    CHECK(of_length({length}) == 400);
  }
  CHECK(of_length({"5", "5"}) == 400);

  act::serve::request_head head = post();
  head.transfer_encoding = "chunked";
  CHECK(status(head) == 400);  // with a length
  head.content_lengths.clear();
  CHECK(status(head) == 0);
  head.transfer_encoding = "gzip, chunked";
  CHECK(status(head) == 400);

  head = post();
  head.content_encoding = "identity";
  CHECK(status(head) == 0);
  head.content_encoding = "gzip";
  CHECK(status(head) == 415);

  for (const char* type :
       {"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
        "application/jsonp", "text/plain; application/json"}) {
    CAPTURE(type);
    head = post();
    head.content_type = type;
    CHECK(status(head) == 415);
  }
  for (const char* type : {"application/json", "Application/JSON", "application/json ;charset=x"}) {
    head = post();
    head.content_type = type;
    CHECK(status(head) == 0);
  }
}
