// The same, compiled for AVX-512.
#define RLPLAT_DRAWING wide_drawing
#include "render/drawing.cpp"
