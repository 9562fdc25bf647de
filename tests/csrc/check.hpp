// The test framework: TEST defines a test, CHECK... state what holds. A failed check is printed and the test goes on.
#pragma once

#include <cmath>
#include <cstdio>
#include <exception>
#include <sstream>
#include <string>
#include <vector>

namespace check {

struct Test {
  const char* name;
  void (*run)();
};

inline std::vector<Test> tests;
inline int failures = 0;

struct Registration {
  Registration(const char* name, void (*run)()) { tests.push_back({name, run}); }
};

inline void fail(const char* file, int line, const std::string& message) {
  ++failures;
  std::printf("%s:%d: %s\n", file, line, message.c_str());
}

template <class Left, class Right>
void equal(const Left& left, const Right& right, const char* text, const char* file, int line) {
  if (left == right) return;
  std::ostringstream message;
  message << text;
  if constexpr (requires { message << left << right; }) message << ": " << left << " and " << right;
  fail(file, line, message.str());
}

inline void near(double left, double right, double tolerance, const char* text, const char* file, int line) {
  if (std::abs(left - right) <= tolerance) return;
  std::ostringstream message;
  message.precision(9);
  message << text << ": " << left << " and " << right << " differ by more than " << tolerance;
  fail(file, line, message.str());
}

}  // namespace check

#define TEST(name)                                                      \
  static void name();                                                   \
  static const check::Registration registration_of_##name(#name, name); \
  static void name()

#define CHECK(condition)                                                       \
  do {                                                                         \
    if (!(condition)) check::fail(__FILE__, __LINE__, #condition " is false"); \
  } while (false)

#define CHECK_EQUAL(left, right) check::equal((left), (right), #left " == " #right, __FILE__, __LINE__)
#define CHECK_NEAR(left, right, tolerance) \
  check::near((left), (right), (tolerance), #left " ~ " #right, __FILE__, __LINE__)

// The expression throws an `Exception` whose text contains `part`.
#define CHECK_THROWS(expression, Exception, part)                                                          \
  do {                                                                                                     \
    try {                                                                                                  \
      expression;                                                                                          \
      check::fail(__FILE__, __LINE__, #expression " does not throw");                                      \
    } catch (const Exception& error) {                                                                     \
      if (std::string(error.what()).find(part) == std::string::npos)                                       \
        check::fail(__FILE__, __LINE__, std::string(#expression " throws another text: ") + error.what()); \
    }                                                                                                      \
  } while (false)

int main() {
  for (const check::Test& test : check::tests) {
    const int before = check::failures;
    try {
      test.run();
    } catch (const std::exception& error) {
      check::fail(test.name, 0, std::string("unexpected exception: ") + error.what());
    }
    std::printf("%s %s\n", check::failures == before ? "ok    " : "FAILED", test.name);
  }
  return check::failures == 0 ? 0 : 1;
}
