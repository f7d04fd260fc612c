#include "http/websocket_frame.h"

#include <gtest/gtest.h>

namespace rabbit::http {
namespace {

constexpr std::size_t kMax = 100'000;

std::string Bytes(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes += static_cast<char>(value);
  return bytes;
}

// The frame in `bytes`, all of which it must use.
base::Result<std::optional<Frame>> Take(std::string bytes, std::size_t max = kMax) {
  return TakeFrame(bytes, max);
}

TEST(EncodeFrame, MasksAndSaysTheLengthInTheShortestForm) {
  // RFC 6455, 5.7: a single-frame masked text message.
  EXPECT_EQ(EncodeFrame(Opcode::kText, "Hello", {0x37, 0xfa, 0x21, 0x3d}),
            Bytes({0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58}));
  const Mask none{};
  EXPECT_EQ(EncodeFrame(Opcode::kBinary, std::string(125, 'x'), none).substr(0, 2),
            Bytes({0x82, 0xfd}));
  EXPECT_EQ(EncodeFrame(Opcode::kBinary, std::string(126, 'x'), none).substr(0, 4),
            Bytes({0x82, 0xfe, 0x00, 0x7e}));
  EXPECT_EQ(EncodeFrame(Opcode::kBinary, std::string(65'535, 'x'), none).substr(0, 4),
            Bytes({0x82, 0xfe, 0xff, 0xff}));
  EXPECT_EQ(EncodeFrame(Opcode::kBinary, std::string(65'536, 'x'), none).substr(0, 10),
            Bytes({0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0}));
}

TEST(TakeFrame, ReadsFramesOfEveryLengthCutAtAnyByte) {
  for (const std::size_t size : {0U, 1U, 125U, 126U, 65'535U, 65'536U}) {
    std::string bytes = EncodeFrame(Opcode::kBinary, std::string(size, 'x'), {});
    // A server does not mask: take the bit and the mask (all zero) out.
    const std::size_t header = size <= 125 ? 2 : size <= 65'535 ? 4 : 10;
    bytes[1] = static_cast<char>(bytes[1] & 0x7f);
    bytes.erase(header, 4);
    for (std::size_t cut = 0; cut < bytes.size(); cut += cut < 12 ? 1 : 20'000) {
      const auto part = Take(bytes.substr(0, cut));
      ASSERT_TRUE(part && !*part) << size << " cut at " << cut;
    }
    bytes += "next";
    const auto frame = TakeFrame(bytes, kMax);
    ASSERT_TRUE(frame && *frame) << size;
    EXPECT_EQ(**frame, (Frame{Opcode::kBinary, true, std::string(size, 'x')}));
    EXPECT_EQ(bytes, "next");
  }
}

TEST(TakeFrame, RefusesWhatBreaksTheProtocol) {
  for (const std::string& bytes : {
           Bytes({0xc2, 0x00}),              // a reserved bit
           Bytes({0x83, 0x00}),              // an unknown opcode
           Bytes({0x82, 0x80, 0, 0, 0, 0}),  // masked
           Bytes({0x09, 0x00}),              // a ping in pieces
           Bytes({0x89, 0x7e, 0x00, 0x7e}),  // a long ping
       }) {
    const auto frame = Take(bytes);
    ASSERT_FALSE(frame);
    EXPECT_EQ(frame.error().kind, base::ErrorKind::kInternal);
  }
}

TEST(TakeFrame, RefusesALongFrameByItsHeader) {
  EXPECT_FALSE(Take(Bytes({0x82, 0x0b}), 10));
  EXPECT_TRUE(Take(Bytes({0x82, 0x0a}), 10));
  EXPECT_FALSE(Take(Bytes({0x82, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})));
  EXPECT_TRUE(Take(Bytes({0x88, 0x02, 0x03, 0xe8}), 0)) << "a close always has room";
}

std::string Told(const base::Result<std::optional<std::string>>& added) {
  if (!added) return "error";
  return *added ? "message " + **added : "more";
}

TEST(MessageAssembler, PutsPiecesTogether) {
  MessageAssembler assembler(10);
  EXPECT_EQ(Told(assembler.Add({Opcode::kBinary, false, "abc"})), "more");
  EXPECT_EQ(assembler.room(), 7U);
  EXPECT_EQ(Told(assembler.Add({Opcode::kContinuation, false, ""})), "more");
  EXPECT_EQ(Told(assembler.Add({Opcode::kContinuation, true, "de"})), "message abcde");
  EXPECT_EQ(Told(assembler.Add({Opcode::kText, true, ""})), "message ");
  EXPECT_EQ(assembler.room(), 10U);
}

TEST(MessageAssembler, RefusesPiecesOutOfOrderOrTooMany) {
  EXPECT_FALSE(MessageAssembler(10).Add({Opcode::kContinuation, true, "x"}));
  MessageAssembler assembler(3);
  ASSERT_TRUE(assembler.Add({Opcode::kBinary, false, "ab"}));
  EXPECT_FALSE(assembler.Add({Opcode::kBinary, true, "c"}));
  EXPECT_FALSE(assembler.Add({Opcode::kContinuation, true, "cd"}));
}

TEST(AcceptFor, IsTheOneOfTheStandard) {
  EXPECT_EQ(AcceptFor("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

}  // namespace
}  // namespace rabbit::http
