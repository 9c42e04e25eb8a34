package dev.tidestream.model.packed;

/** How panels of a file become memory. */
public enum PackedLoad {
    /**
     * The file is mapped: nothing is copied, and its pages are the system's. Whoever shortens the file while it is mapped ends this
     * process (SIGBUS), and whoever changes it in place changes what is computed.
     */
    MAP,
    /** All of it is read into memory of our own, in huge pages where the system has them. The file is not needed afterwards. */
    COPY
}
