# INPUT (YAML) -> OUTPUT (C++). In pieces: a literal may have no more than 65,536 characters.
file(READ ${INPUT} text)
string(LENGTH "${text}" length)
set(pieces "")
set(at 0)
while(at LESS length)
  string(SUBSTRING "${text}" ${at} 8000 piece)
  string(APPEND pieces "    R\"crd(${piece})crd\",\n")
  math(EXPR at "${at} + 8000")
endwhile()
file(WRITE ${OUTPUT} "#include \"operator/api/crd_text.h\"

#include <string_view>

namespace rabbit::api {

std::string CrdText() {
  static constexpr std::string_view kPieces[] = {
${pieces}  };
  std::string text;
  for (std::string_view piece : kPieces) text += piece;
  return text;
}

}  // namespace rabbit::api
")
