# Runs act_runtime_bench on a tiny model and looks at what it prints: every kind of line, prompts cut to the model's
# context, ids from files, and numbers that don't depend on how prompts are batched. Refusals are one line and exit status
# 1 or 2.
# cmake -D bench=PROGRAM -D model=GGUF -D scratch=FOLDER -P check.cmake
cmake_minimum_required(VERSION 3.25)
file(MAKE_DIRECTORY ${scratch})

function(run_bench result)
  execute_process(COMMAND ${bench} --model ${model} --rounds 1 --threads 1 --steps 3 ${ARGN}
    OUTPUT_VARIABLE printed ERROR_VARIABLE said RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "act_runtime_bench ${ARGN}: exit status ${status}: ${said}")
  endif()
  set(${result} "${printed}" PARENT_SCOPE)
endfunction()

# The first line that holds `beginning`.
function(line_with text beginning result)
  string(REPLACE ";" "," text "${text}")
  string(REPLACE "\n" ";" lines "${text}")
  foreach(line IN LISTS lines)
    string(FIND "${line}" "${beginning}" at)
    if(NOT at EQUAL -1)
      set(${result} "${line}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
  message(FATAL_ERROR "act_runtime_bench: no line with ${beginning} in\n${text}")
endfunction()

function(expect text wanted)
  string(FIND "${text}" "${wanted}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "act_runtime_bench: no ${wanted} in ${text}")
  endif()
endfunction()

# Everything, with the built-in text. The model's context is 256: a longer prompt and a longer context are cut to it.
run_bench(all --heads 3 --prefill 8,1000 --decode 8,1000 --samples 3)
foreach(beginning [["work":"build"]] [["work":"model"]] [["after":"load"]] [["work":"prefill","tokens":8]]
    [["work":"prefill","tokens":256]] [["work":"decode","context":8]] [["work":"decode","context":253]]
    [["work":"score","samples":3]] [["of":"score"]])
  line_with("${all}" "${beginning}" found)
endforeach()
line_with("${all}" [["work":"model"]] line)
expect("${line}" [["calibrated_heads":3]])
line_with("${all}" [["work":"decode","context":8]] line)
expect("${line}" [["calibrated_rate":]])
line_with("${all}" [["of":"decode","context":8]] line)
string(JSON count LENGTH "${line}" greedy)
if(NOT count EQUAL 3)
  message(FATAL_ERROR "act_runtime_bench: decoded ${count} tokens instead of 3: ${line}")
endif()

# Ids from files; prompts together, then one by one: the same logits.
file(WRITE ${scratch}/prompts.txt "5 6 7 8 9\n\n10 11 12\n200 20 21 22 23 24 25\n")
file(WRITE ${scratch}/text.txt "30 31 32 33\n")
run_bench(together --only score --prompts ${scratch}/prompts.txt --labels 40,41,42)
run_bench(singly --only score --prompts ${scratch}/prompts.txt --labels 40,41,42 --batch-tokens 1)
line_with("${together}" [["of":"score"]] of_all)
line_with("${singly}" [["of":"score"]] of_each)
string(JSON prompts LENGTH "${of_all}" plain)
string(JSON labels LENGTH "${of_all}" plain 0)
if(NOT prompts EQUAL 3 OR NOT labels EQUAL 3)
  message(FATAL_ERROR "act_runtime_bench: ${prompts} x ${labels} logits instead of 3 x 3: ${of_all}")
endif()
foreach(prompt 0 1 2)
  string(JSON one GET "${of_all}" plain ${prompt} 0)
  string(JSON other GET "${of_each}" plain ${prompt} 0)
  string(SUBSTRING "${one}" 0 5 one)  # rounding apart
  string(SUBSTRING "${other}" 0 5 other)
  if(NOT one STREQUAL other)
    message(FATAL_ERROR "act_runtime_bench: prompt ${prompt} has another logit in a batch: ${of_all} ${of_each}")
  endif()
endforeach()

# Without heads nothing is said of calibration.
run_bench(plain --only prefill --prefill 4 --heads 0 --text ${scratch}/text.txt)
line_with("${plain}" [["work":"prefill"]] line)
string(FIND "${line}" "calibrated" at)
if(NOT at EQUAL -1)
  message(FATAL_ERROR "act_runtime_bench: speaks of calibration without heads: ${line}")
endif()

# Refusals.
file(WRITE ${scratch}/words.txt "5 six 7\n")
file(WRITE ${scratch}/empty.txt "\n")
foreach(case
    "--only|score|--prompts|${scratch}/words.txt|=1|words.txt: line 1: 'six' isn't a token id"
    "--only|score|--prompts|${scratch}/empty.txt|=1|empty.txt: holds no token ids"
    "--only|score|--labels|1,x|=2|--labels: '1,x' isn't a list of counts"
    "--only|score|--labels|1,99999999|=2|--labels: 99999999 is outside the model's vocabulary"
    "--only|prefill|--prefill|0|=2|--prefill: '0' isn't a list of counts"
    "--only|decode|--steps|5000|=2|--steps: leaves no room")
  string(REGEX MATCH "^(.*)\\|=([0-9])\\|(.*)$" ignored "${case}")
  set(wanted_status ${CMAKE_MATCH_2})
  set(wanted "${CMAKE_MATCH_3}")
  string(REPLACE "|" ";" arguments "${CMAKE_MATCH_1}")
  execute_process(COMMAND ${bench} --model ${model} ${arguments}
    OUTPUT_QUIET ERROR_VARIABLE said RESULT_VARIABLE status)
  if(NOT status EQUAL wanted_status)
    message(FATAL_ERROR "act_runtime_bench ${arguments}: exit status ${status}, not ${wanted_status}: ${said}")
  endif()
  expect("${said}" "${wanted}")
endforeach()
