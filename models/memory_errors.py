"""Tells a device without memory from other faults of CTranslate2, which raises RuntimeError for all of them."""

_MARKS = (
    "out of memory",  # "CUDA failed with error out of memory"
    "cudaErrorMemoryAllocation",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "Failed to allocate memory",
    # Thrust's word for it: one card with too little free memory gave this message and "out of memory" in turn, at the
    # same place (https://github.com/homelab-00/TranscriptionSuite/pull/268). The device itself is chosen long before.
    "parallel_for failed: cudaErrorInvalidDevice",
)


def ran_out_of_memory(error: BaseException) -> bool:
    """Whether `error` says that memory could not be had: the GPU's, or the machine's (MemoryError)."""
    return isinstance(error, MemoryError) or any(mark in str(error) for mark in _MARKS)
