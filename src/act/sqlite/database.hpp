// SQLite in RAII: a connection, a statement, errors as act::error. Only what a search's state and a store of
// results need.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

// As <sqlite3.h> declares them.
struct sqlite3;
struct sqlite3_stmt;

namespace act::sqlite {

/// An open database. Move-only; not for use by several threads at once.
class database {
 public:
  /// Opens or creates the file; ":memory:" keeps everything in memory. `holding` is what messages call it.
  /// Throws `error` (io).
  explicit database(const std::string& path, std::string_view holding = "a database");

  /// Runs statements without parameters or results.
  void execute(const std::string& sql);

  [[nodiscard]] sqlite3* handle() const noexcept { return handle_.get(); }

  /// Throws what SQLite says of the last call: `error` (invalid_input) for a damaged or foreign file, else
  /// (io).
  [[noreturn]] void fail(std::string_view what) const;

 private:
  struct closer {
    void operator()(sqlite3* handle) const noexcept;
  };
  std::string path_, holding_;
  std::unique_ptr<sqlite3, closer> handle_;
};

/// A prepared statement: bind parameters from 1 on, then step through the rows.
class statement {
 public:
  statement(database& owner, const std::string& sql);

  statement& bind(int position, std::int64_t value);
  statement& bind(int position, double value);
  statement& bind(int position, std::string_view text);
  statement& bind(int position, std::span<const double> numbers);

  /// Moves to the next row; false when there is none.
  [[nodiscard]] bool step();
  /// Makes it ready for the next parameters.
  void rewind();
  /// Runs a statement that returns nothing, and makes it ready for the next parameters.
  void run();

  [[nodiscard]] std::int64_t integer(int column) const;
  /// 0 for what is no number.
  [[nodiscard]] double real(int column) const;
  [[nodiscard]] std::string text(int column) const;
  /// The raw bytes of a column, valid until the next step.
  [[nodiscard]] std::span<const std::byte> blob(int column) const;

 private:
  statement& check(int code);
  struct finalizer {
    void operator()(sqlite3_stmt* handle) const noexcept;
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
  ~transaction();
  void commit();

 private:
  database& owner_;
  bool done_ = false;
};

}  // namespace act::sqlite
