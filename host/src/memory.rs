//! Gives freed memory back to the system. glibc by itself gives back only what is free at the end of a heap, and it has a
//! heap for nearly every thread.

/// Heaps of the allocator. With eight per processor, which glibc allows, a load left 90 MiB in them, with two 24 MiB, and
/// requests were as fast.
#[cfg(target_env = "gnu")]
const MAX_HEAPS: libc::c_int = 2;

/// Call it before there are threads.
pub fn limit_heaps() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it changes a setting of the allocator before another thread uses it.
    #[allow(unsafe_code)]
    unsafe {
        // Fails only for a number that is no setting.
        libc::mallopt(libc::M_ARENA_MAX, MAX_HEAPS);
    }
}

/// Takes milliseconds: for when much was freed.
pub fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it locks each heap, and touches only what is free.
    #[allow(unsafe_code)]
    unsafe {
        // Whether there was something to give back.
        libc::malloc_trim(0);
    }
}
