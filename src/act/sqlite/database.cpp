#include <act/error.hpp>
#include <act/sqlite/database.hpp>

#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace act::sqlite {

void database::closer::operator()(sqlite3* handle) const noexcept {
  sqlite3_close(handle);
}

database::database(const std::string& path, std::string_view holding) : path_(path), holding_(holding) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open(path_.c_str(), &opened);
  handle_.reset(opened);
  if (code != SQLITE_OK) fail("can't be opened");
  sqlite3_busy_timeout(handle_.get(), 10000);  // another process may be writing the same file
}

void database::execute(const std::string& sql) {
  if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail("can't be used");
}

void database::fail(std::string_view what) const {
  const int code = handle_ ? sqlite3_errcode(handle_.get()) : SQLITE_CANTOPEN;
  const bool foreign = code == SQLITE_NOTADB || code == SQLITE_CORRUPT || code == SQLITE_ERROR;
  std::string reason = handle_ ? sqlite3_errmsg(handle_.get()) : "out of memory";
  if (code == SQLITE_BUSY) reason = "another process is using it";
  throw error(foreign ? error_code::invalid_input : error_code::io, path_,
              std::string(what) + " as " + holding_ + ": " + reason +
                  (foreign ? "; choose another file, or delete this one to start again" : ""));
}

void statement::finalizer::operator()(sqlite3_stmt* handle) const noexcept {
  sqlite3_finalize(handle);
}

statement::statement(database& owner, const std::string& sql) : owner_(&owner) {
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v2(owner.handle(), sql.c_str(), -1, &prepared, nullptr) != SQLITE_OK)
    owner.fail("can't be read");
  handle_.reset(prepared);
}

statement& statement::bind(int position, std::int64_t value) {
  return check(sqlite3_bind_int64(handle_.get(), position, value));
}

statement& statement::bind(int position, std::string_view text) {
  return check(sqlite3_bind_text(handle_.get(), position, text.data(), static_cast<int>(text.size()),
                                 SQLITE_TRANSIENT));
}

statement& statement::bind(int position, double value) {
  return check(sqlite3_bind_double(handle_.get(), position, value));
}

statement& statement::bind(int position, std::span<const double> numbers) {
  return check(sqlite3_bind_blob(handle_.get(), position, numbers.data(),
                                 static_cast<int>(numbers.size_bytes()), SQLITE_TRANSIENT));
}

bool statement::step() {
  const int code = sqlite3_step(handle_.get());
  if (code != SQLITE_ROW && code != SQLITE_DONE) owner_->fail("can't be read or written");
  return code == SQLITE_ROW;
}

void statement::rewind() {
  sqlite3_reset(handle_.get());
}

void statement::run() {
  (void)step();
  rewind();
}

double statement::real(int column) const {
  return sqlite3_column_double(handle_.get(), column);
}

std::int64_t statement::integer(int column) const {
  return sqlite3_column_int64(handle_.get(), column);
}

std::string statement::text(int column) const {
  const auto* characters = reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column));
  const int size = sqlite3_column_bytes(handle_.get(), column);
  return characters == nullptr ? std::string() : std::string(characters, static_cast<std::size_t>(size));
}

std::span<const std::byte> statement::blob(int column) const {
  const void* bytes = sqlite3_column_blob(handle_.get(), column);
  const int size = sqlite3_column_bytes(handle_.get(), column);
  return {static_cast<const std::byte*>(bytes), static_cast<std::size_t>(bytes == nullptr ? 0 : size)};
}

statement& statement::check(int code) {
  if (code != SQLITE_OK) owner_->fail("can't be written");
  return *this;
}

transaction::~transaction() {
  if (!done_) sqlite3_exec(owner_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void transaction::commit() {
  owner_.execute("COMMIT");
  done_ = true;
}

}  // namespace act::sqlite
