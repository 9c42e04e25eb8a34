package dev.tidestream.model.machine;

/** What lies {@code offset} bytes behind the address in a register. */
public record Address(Register base, int offset) {}
