// SQLite in RAII: a connection, a statement, errors as act::error. Only what the search's state needs.
#pragma once

#include <sqlite3.h>
#include <act/error.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace act::search {

/// An open database. Move-only; not for use by several threads at once.
class database {
 public:
  /// Opens or creates the file; ":memory:" keeps everything in memory. Throws `error` (io).
  explicit database(const std::filesystem::path& path) : path_(path.string()) {
    sqlite3* opened = nullptr;
    const int code = sqlite3_open(path_.c_str(), &opened);
    handle_.reset(opened);
    if (code != SQLITE_OK) fail("can't be opened");
    sqlite3_busy_timeout(handle_.get(), 10000);  // another process may be writing the same state
  }

  /// Runs statements without parameters or results.
  void execute(const std::string& sql) {
    if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
      fail("can't be used");
  }

  [[nodiscard]] sqlite3* handle() const noexcept { return handle_.get(); }

  /// Throws what SQLite says of the last call: `error` (invalid_input) for a damaged or foreign file, else
  /// (io).
  [[noreturn]] void fail(std::string_view what) const {
    const int code = handle_ ? sqlite3_errcode(handle_.get()) : SQLITE_CANTOPEN;
    const bool foreign = code == SQLITE_NOTADB || code == SQLITE_CORRUPT || code == SQLITE_ERROR;
    std::string reason = handle_ ? sqlite3_errmsg(handle_.get()) : "out of memory";
    if (code == SQLITE_BUSY) reason = "another process is using it";
    throw error(foreign ? error_code::invalid_input : error_code::io, path_,
                std::string(what) + " as a search state: " + reason +
                    (foreign ? "; choose another file, or delete this one to start again" : ""));
  }

 private:
  struct closer {
    void operator()(sqlite3* handle) const noexcept { sqlite3_close(handle); }
  };
  std::string path_;
  std::unique_ptr<sqlite3, closer> handle_;
};

/// A prepared statement: bind parameters from 1 on, then step through the rows.
class statement {
 public:
  statement(database& owner, const std::string& sql) : owner_(&owner) {
    sqlite3_stmt* prepared = nullptr;
    if (sqlite3_prepare_v2(owner.handle(), sql.c_str(), -1, &prepared, nullptr) != SQLITE_OK)
      owner.fail("can't be read");
    handle_.reset(prepared);
  }

  statement& bind(int position, std::int64_t value) {
    return check(sqlite3_bind_int64(handle_.get(), position, value));
  }
  statement& bind(int position, std::string_view text) {
    return check(sqlite3_bind_text(handle_.get(), position, text.data(), static_cast<int>(text.size()),
                                   SQLITE_TRANSIENT));
  }
  statement& bind(int position, std::span<const double> numbers) {
    return check(sqlite3_bind_blob(handle_.get(), position, numbers.data(),
                                   static_cast<int>(numbers.size_bytes()), SQLITE_TRANSIENT));
  }

  /// Moves to the next row; false when there is none.
  [[nodiscard]] bool step() {
    const int code = sqlite3_step(handle_.get());
    if (code != SQLITE_ROW && code != SQLITE_DONE) owner_->fail("can't be read or written");
    return code == SQLITE_ROW;
  }
  /// Runs a statement that returns nothing, and makes it ready for the next parameters.
  void run() {
    (void)step();
    sqlite3_reset(handle_.get());
  }

  [[nodiscard]] std::int64_t integer(int column) const { return sqlite3_column_int64(handle_.get(), column); }
  [[nodiscard]] std::string text(int column) const {
    const auto* characters = reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column));
    const int size = sqlite3_column_bytes(handle_.get(), column);
    return characters == nullptr ? std::string() : std::string(characters, static_cast<std::size_t>(size));
  }
  /// The raw bytes of a column, valid until the next step.
  [[nodiscard]] std::span<const std::byte> blob(int column) const {
    const void* bytes = sqlite3_column_blob(handle_.get(), column);
    const int size = sqlite3_column_bytes(handle_.get(), column);
    return {static_cast<const std::byte*>(bytes), static_cast<std::size_t>(bytes == nullptr ? 0 : size)};
  }

 private:
  statement& check(int code) {
    if (code != SQLITE_OK) owner_->fail("can't be written");
    return *this;
  }
  struct finalizer {
    void operator()(sqlite3_stmt* handle) const noexcept { sqlite3_finalize(handle); }
  };
  database* owner_;
  std::unique_ptr<sqlite3_stmt, finalizer> handle_;
};

/// All or nothing: rolls back unless `commit` was called.
class transaction {
 public:
  explicit transaction(database& owner) : owner_(owner) { owner_.execute("BEGIN IMMEDIATE"); }
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;
  ~transaction() {
    if (!done_) sqlite3_exec(owner_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
  void commit() {
    owner_.execute("COMMIT");
    done_ = true;
  }

 private:
  database& owner_;
  bool done_ = false;
};

}  // namespace act::search
