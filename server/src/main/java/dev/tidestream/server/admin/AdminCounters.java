package dev.tidestream.server.admin;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

import dev.tidestream.protocol.admin.AdminErrorCode;

/** What administrators have done since the server started. Any thread. */
public final class AdminCounters {
    private final LongAdder updates = new LongAdder();
    private final LongAdder toggles = new LongAdder();
    private final Map<AdminErrorCode, LongAdder> refusals = new ConcurrentHashMap<>();

    void updated() {
        updates.increment();
    }

    void toggled() {
        toggles.increment();
    }

    void refused(AdminErrorCode code) {
        refusals.computeIfAbsent(code, c -> new LongAdder()).increment();
    }

    /** Updates and rollbacks that were committed and published. */
    public long updates() {
        return updates.sum();
    }

    /** Acknowledged requests for a head mode. */
    public long toggles() {
        return toggles.sum();
    }

    /** Refused requests, by code. */
    public Map<AdminErrorCode, Long> refusals() {
        Map<AdminErrorCode, Long> sums = new EnumMap<>(AdminErrorCode.class);
        refusals.forEach((code, count) -> sums.put(code, count.sum()));
        return sums;
    }
}
