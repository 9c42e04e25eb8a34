package dev.tidestream.server.admin.store;

/** Payloads being received. Has a lock of its own, the innermost one: a spool may be closed while another is committed. */
final class SpoolAccount {
    private int count;
    private long bytes;

    synchronized void add(long spoolBytes) {
        count++;
        bytes += spoolBytes;
    }

    synchronized void remove(long spoolBytes) {
        count--;
        bytes -= spoolBytes;
    }

    synchronized int count() {
        return count;
    }

    synchronized long bytes() {
        return bytes;
    }
}
