#include <act/error.hpp>
#include <act/io/byte_reader.hpp>
#include <act/runtime/tokenizer/sentencepiece_model.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace act::runtime {
namespace {

std::uint64_t read_varint(io::byte_reader& reader) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const auto byte = reader.read<std::uint8_t>("a number");
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  reader.fail("a number has more than 64 bits; this isn't a SentencePiece model, or it is damaged");
}

// One field; `bytes` of a length-delimited one, `number` of the others.
struct protobuf_field {
  std::uint64_t tag = 0, number = 0;
  std::span<const std::byte> bytes;
};

protobuf_field read_field(io::byte_reader& reader) {
  const std::uint64_t key = read_varint(reader);
  protobuf_field field{key >> 3, 0, {}};
  switch (key & 7) {
    case 0:
      field.number = read_varint(reader);
      break;
    case 1:
      reader.take(8, "a 64-bit field");
      break;
    case 2:
      field.bytes = reader.take(read_varint(reader), "a field");
      break;
    case 5:
      reader.take(4, "a 32-bit field");
      break;
    default:
      reader.fail("a field has an impossible type; this isn't a SentencePiece model, or it is damaged");
  }
  return field;
}

void read_piece(io::byte_reader piece, sentencepiece_facts& facts) {
  std::uint64_t type = 1;
  std::string_view text;
  while (piece.remaining() != 0) {
    const protobuf_field field = read_field(piece);
    if (field.tag == 1) text = {reinterpret_cast<const char*>(field.bytes.data()), field.bytes.size()};
    if (field.tag == 3) type = field.number;
  }
  if (type == 4) facts.user_defined.push_back(facts.pieces.size());
  facts.pieces.push_back(text);
}

void put(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    out += static_cast<char>(static_cast<unsigned char>(value | 0x80));
  out += static_cast<char>(static_cast<unsigned char>(value));
}

void number(std::string& out, std::uint64_t tag, std::uint64_t kind) {
  put(out, tag << 3 | kind);
}

void varint(std::string& out, std::uint64_t tag, std::uint64_t value) {
  number(out, tag, 0);
  put(out, value);
}

void bytes(std::string& out, std::uint64_t tag, std::string_view content) {
  number(out, tag, 2);
  put(out, content.size());
  out += content;
}

}  // namespace

sentencepiece_facts read_sentencepiece_facts(std::span<const std::byte> model, const std::string& file) {
  sentencepiece_facts facts;
  io::byte_reader reader(model, file);
  while (reader.remaining() != 0) {
    const protobuf_field field = read_field(reader);
    if (field.tag == 1) read_piece(io::byte_reader(field.bytes, file), facts);
    if (field.tag != 2 && field.tag != 3 && field.tag != 5) continue;
    io::byte_reader spec(field.bytes, file);
    while (spec.remaining() != 0) {
      const protobuf_field setting = read_field(spec);
      if (field.tag == 2) {  // trainer_spec
        if (setting.tag == 3) facts.kind = setting.number;
        if (setting.tag == 24) facts.space_behind = setting.number != 0;
        continue;
      }
      // normalizer_spec, and denormalizer_spec, of which only a table does anything
      if (setting.tag == 2) facts.character_map |= !setting.bytes.empty();
      if (field.tag == 5) continue;
      if (setting.tag == 3) facts.dummy_prefix = setting.number != 0;
      if (setting.tag == 4) facts.remove_extra_spaces = setting.number != 0;
      if (setting.tag == 5) facts.escapes_spaces = setting.number != 0;
    }
  }
  return facts;
}

std::string overruling_spaces(bool dummy_prefix, bool remove_extra_spaces) {
  std::string normalizer, whole;
  varint(normalizer, 3, dummy_prefix);
  varint(normalizer, 4, remove_extra_spaces);
  bytes(whole, 3, normalizer);
  return whole;
}

void sentencepiece_writer::piece(std::string_view text, float score, std::uint64_t type) {
  std::string entry;
  bytes(entry, 1, text);
  number(entry, 2, 5);
  char raw[sizeof score];
  std::memcpy(raw, &score, sizeof score);
  entry.append(raw, sizeof score);
  varint(entry, 3, type);
  bytes(pieces_, 1, entry);
}

std::string sentencepiece_writer::model(bool byte_fallback, bool dummy_prefix,
                                        bool remove_extra_spaces) const {
  std::string trainer, normalizer, whole = pieces_;
  varint(trainer, 3, 2);  // BPE
  varint(trainer, 35, byte_fallback);
  varint(normalizer, 3, dummy_prefix);
  varint(normalizer, 4, remove_extra_spaces);
  bytes(whole, 2, trainer);
  bytes(whole, 3, normalizer);
  return whole;
}

}  // namespace act::runtime
