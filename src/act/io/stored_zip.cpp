#include <act/error.hpp>
#include <act/io/mapped_file.hpp>
#include <act/io/printable.hpp>
#include <act/io/stored_zip.hpp>

#if defined(ACT_HAS_LIBZIP)
#include <zip.h>
#endif

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::io {

#if defined(ACT_HAS_LIBZIP)
namespace {

// What libzip reads from: the mapping. It remembers where the last read was, which is how an entry's bytes
// are found in the mapping: libzip itself doesn't say where they lie.
struct mapped_source {
  std::span<const std::byte> bytes;
  std::size_t position = 0;
  std::size_t last_read = 0;  // the byte that the last read began at
  zip_error_t error{};
};

zip_int64_t serve(void* user, void* data, zip_uint64_t length, zip_source_cmd_t command) noexcept {
  auto& source = *static_cast<mapped_source*>(user);
  switch (command) {
    case ZIP_SOURCE_OPEN:
      source.position = 0;
      return 0;
    case ZIP_SOURCE_READ: {
      const std::size_t count = std::min<zip_uint64_t>(length, source.bytes.size() - source.position);
      if (count != 0) std::memcpy(data, source.bytes.data() + source.position, count);
      source.last_read = source.position;
      source.position += count;
      return static_cast<zip_int64_t>(count);
    }
    case ZIP_SOURCE_SEEK: {
      const zip_int64_t to =
          zip_source_seek_compute_offset(source.position, source.bytes.size(), data, length, &source.error);
      if (to < 0) return -1;
      source.position = static_cast<std::size_t>(to);
      return 0;
    }
    case ZIP_SOURCE_TELL:
      return static_cast<zip_int64_t>(source.position);
    case ZIP_SOURCE_STAT: {
      auto& status = *static_cast<zip_stat_t*>(data);
      zip_stat_init(&status);
      status.size = source.bytes.size();
      status.valid = ZIP_STAT_SIZE;
      return sizeof status;
    }
    case ZIP_SOURCE_ERROR:
      return zip_error_to_data(&source.error, data, length);
    case ZIP_SOURCE_CLOSE:
    case ZIP_SOURCE_FREE:  // it belongs to the directory
      return 0;
    case ZIP_SOURCE_ACCEPT_EMPTY:
      return 0;  // an empty file is no zip
    case ZIP_SOURCE_SUPPORTS:
      return zip_source_make_command_bitmap(ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE,
                                            ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE,
                                            ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL, ZIP_SOURCE_ACCEPT_EMPTY,
                                            ZIP_SOURCE_SUPPORTS, -1);
    default:
      zip_error_set(&source.error, ZIP_ER_OPNOTSUPP, 0);
      return -1;
  }
}

struct closes {
  void operator()(zip_t* archive) const noexcept { zip_discard(archive); }
  void operator()(zip_file_t* file) const noexcept { zip_fclose(file); }
};

}  // namespace

struct stored_zip::directory {
  struct entry {
    zip_uint64_t index, size;
    const char* unreadable;  // why read refuses it, or ""
  };

  directory(const mapped_file& file) {
    source.bytes = file.bytes();
    zip_error_t failed;
    zip_error_init(&failed);
    zip_source_t* const made = zip_source_function_create(&serve, &source, &failed);
    if (made != nullptr) archive.reset(zip_open_from_source(made, ZIP_RDONLY, &failed));
    if (archive == nullptr) {
      const std::string why = zip_error_strerror(&failed);
      if (made != nullptr) zip_source_free(made);
      zip_error_fini(&failed);
      throw error(
          error_code::invalid_input, file.path(),
          "isn't a whole zip file (" + printable(why) + "); it is truncated or damaged, fetch it again");
    }
    zip_error_fini(&failed);
    list(file);
  }

  void list(const mapped_file& file) {
    const zip_int64_t count = zip_get_num_entries(archive.get(), 0);
    zip_uint64_t left = file.bytes().size();
    for (zip_int64_t i = 0; i < count; ++i) {
      const auto index = static_cast<zip_uint64_t>(i);
      const char* const name = zip_get_name(archive.get(), index, ZIP_FL_ENC_RAW);
      zip_stat_t status;
      zip_stat_init(&status);
      constexpr zip_uint64_t needed =
          ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
      if (name == nullptr || zip_stat_index(archive.get(), index, 0, &status) != 0 ||
          (status.valid & needed) != needed)
        throw error(
            error_code::invalid_input, file.path(),
            "entry " + std::to_string(i) + " of the zip can't be read; the file is damaged, fetch it again");
      const std::string place = file.path() + ": entry '" + printable(name) + "'";
      const char* unreadable = "";
      if (status.encryption_method != ZIP_EM_NONE) {
        unreadable = "is encrypted; write the zip without a password";
      } else if (status.comp_method != ZIP_CM_STORE) {
        unreadable = "is compressed, which act doesn't read; write the zip again without compression";
      } else if (status.size != status.comp_size) {
        throw error(error_code::invalid_input, place,
                    "isn't compressed and has two sizes; the file is damaged, fetch it again");
      }
      // Entries that share bytes could otherwise describe any amount of data.
      if (status.comp_size > left)
        throw error(error_code::invalid_input, place,
                    "takes " + std::to_string(status.comp_size) +
                        " bytes, which the file hasn't; it is truncated or damaged, fetch it again");
      left -= status.comp_size;
      names.emplace_back(name);
      if (!entries.emplace(name, entry{.index = index, .size = status.size, .unreadable = unreadable}).second)
        throw error(error_code::invalid_input, place,
                    "is in the zip twice; the file is damaged, fetch it again");
    }
  }

  mapped_source source;
  std::unique_ptr<zip_t, closes> archive;
  std::vector<std::string> names;
  std::map<std::string, entry, std::less<>> entries;
};

stored_zip::stored_zip(mapped_file file)
    : file_(std::move(file)), directory_(std::make_unique<directory>(file_)) {}

std::span<const std::byte> stored_zip::read(std::string_view name) const {
  const std::string place = path() + ": entry '" + printable(name) + "'";
  const auto fail = [&](const std::string& why) {
    return error(error_code::invalid_input, place,
                 why + "; the file is truncated or damaged, fetch it again");
  };
  const auto found = directory_->entries.find(name);
  if (found == directory_->entries.end()) throw fail("isn't in the zip");
  if (*found->second.unreadable != '\0')
    throw error(error_code::unsupported, place, found->second.unreadable);
  const std::unique_ptr<zip_file_t, closes> entry(
      zip_fopen_index(directory_->archive.get(), found->second.index, 0));
  if (entry == nullptr)
    throw fail(std::string("can't be opened (") + printable(zip_strerror(directory_->archive.get())) + ")");

  std::span<const std::byte> content;
  std::array<std::byte, 65536> piece;
  std::size_t done = 0;
  // Also at the end there is one more read: that is when libzip compares the checksum.
  for (;;) {
    const zip_int64_t count = zip_fread(entry.get(), piece.data(), piece.size());
    if (count < 0)
      throw fail(std::string("can't be read (") + printable(zip_file_strerror(entry.get())) + ")");
    if (count == 0) break;
    const auto read = static_cast<std::size_t>(count);
    if (done == 0) {
      const std::size_t begin = directory_->source.last_read;
      if (found->second.size > file_.bytes().size() - begin) throw fail("lies behind the file's end");
      content = file_.bytes().subspan(begin, static_cast<std::size_t>(found->second.size));
    }
    // That these are the entry's bytes isn't taken for granted.
    if (read > content.size() - done || std::memcmp(content.data() + done, piece.data(), read) != 0)
      throw fail("isn't stored in one piece");
    done += read;
  }
  if (done != found->second.size)
    throw fail("has " + std::to_string(done) + " of its " + std::to_string(found->second.size) + " bytes");
  return content;
}

#else

struct stored_zip::directory {
  std::vector<std::string> names;
  std::map<std::string, std::size_t, std::less<>> entries;
};

stored_zip::stored_zip(mapped_file file) : file_(std::move(file)) {
  throw error(error_code::unsupported, path(),
              "is a zip file; act was built without libzip (Debian: libzip-dev), which reads it");
}

std::span<const std::byte> stored_zip::read(std::string_view) const {
  return {};
}

#endif

stored_zip::stored_zip(stored_zip&&) noexcept = default;
stored_zip& stored_zip::operator=(stored_zip&&) noexcept = default;
stored_zip::~stored_zip() = default;

const std::vector<std::string>& stored_zip::names() const noexcept {
  return directory_->names;
}

bool stored_zip::contains(std::string_view name) const {
  return directory_->entries.find(name) != directory_->entries.end();
}

}  // namespace act::io
