// Each program's main(), under the program's name: the four are compiled as one library, which the build may
// compile as one translation unit.
#pragma once

int act_eval(int count, char** arguments);
int act_generate(int count, char** arguments);
int act_inspect(int count, char** arguments);
int act_search(int count, char** arguments);
