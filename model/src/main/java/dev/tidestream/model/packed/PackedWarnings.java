package dev.tidestream.model.packed;

/** Hears, in one line each, why a file of panels could not be used or written. */
@FunctionalInterface
public interface PackedWarnings {
    void accept(String warning);

    /** What the system says, in the words of whoever listens; by default, as the exception has it. */
    default String reason(Exception e) {
        return e.getClass().getSimpleName() + ": " + e.getMessage();
    }
}
