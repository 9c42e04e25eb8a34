package dev.tidestream.model.machine;

/** What lies {@code offset} bytes behind the address in a register. */
public record Address(Register base, int offset) {

    /** So many bytes further. */
    public Address plus(int bytes) {
        return new Address(base, offset + bytes);
    }
}
