# INPUT (YAML) -> OUTPUT (C++): the text in pieces that every compiler takes as literals.
file(READ ${INPUT} text)
string(LENGTH "${text}" length)
set(pieces "")
set(at 0)
while(at LESS length)
  string(SUBSTRING "${text}" ${at} 8000 piece)
  string(APPEND pieces "    R\"crd(${piece})crd\"\n")
  math(EXPR at "${at} + 8000")
endwhile()
file(WRITE ${OUTPUT} "#include \"operator/api/crd_text.h\"

namespace rabbit::api {

std::string_view CrdText() {
  return\n${pieces}      \"\";
}

}  // namespace rabbit::api
")
