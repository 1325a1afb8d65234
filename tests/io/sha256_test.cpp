// SHA-256 against the standard's examples.
#include "temporary_folder.hpp"

#include <act/error.hpp>
#include <act/io/sha256.hpp>

#include <doctest/doctest.h>

TEST_CASE("the examples of FIPS 180-4") {
  CHECK(act::io::sha256().hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(act::io::sha256().update("abc").hex() ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(
      act::io::sha256().update("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmno").update("mnopnopq").hex() ==
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST_CASE("a file's hash is its bytes', whatever the pieces") {
  const act_test::temporary_folder folder;
  CHECK(act::io::sha256_of_file(folder.write("abc", "abc")) == act::io::sha256().update("abc").hex());
  CHECK(act::io::sha256_of_file(folder.write("none", "")) == act::io::sha256().hex());
  const std::string big((std::size_t{1} << 20) + 1, 'x');
  CHECK(act::io::sha256_of_file(folder.write("big", big)) == act::io::sha256().update(big).hex());
  const std::string whole(std::size_t{1} << 20, 'y');
  CHECK(act::io::sha256_of_file(folder.write("whole", whole)) == act::io::sha256().update(whole).hex());
}

TEST_CASE("a file that can't be read") {
  const act_test::temporary_folder folder;
  const std::string why = ": can't be read; check the path and its permissions";
  CHECK_THROWS_WITH_AS((void)act::io::sha256_of_file(folder.path() / "no"),
                       ((folder.path() / "no").string() + why).c_str(), act::error);
  CHECK_THROWS_WITH_AS((void)act::io::sha256_of_file(folder.path()), (folder.path().string() + why).c_str(),
                       act::error);
}
