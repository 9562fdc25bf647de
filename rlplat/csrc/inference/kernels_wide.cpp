// The same kernels, compiled for AVX-512.
#define RLPLAT_KERNELS wide_kernels
#include "inference/kernels.cpp"
