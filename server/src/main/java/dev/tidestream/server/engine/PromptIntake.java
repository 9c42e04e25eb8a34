package dev.tidestream.server.engine;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.scheduler.fair.FairShares;
import dev.tidestream.server.scheduler.fair.Party;

/**
 * Prompts on their way through the tokenizer: bounded in number and in bytes, and taken from the clients, and of these from their
 * connections, in turn by bytes ({@link FairShares}), so that many prompts of one delay that of another by the one that is under way.
 * Safe for use by any thread.
 */
final class PromptIntake {
    private final PromptLimits limits;
    private final Executor executor;
    private final FairShares turns = new FairShares(1);
    private final Map<Party, Waiting> byParty = new HashMap<>();
    private int prompts;
    private long bytes;

    /** Work that waits, or is done. */
    private record Entry(Party party, long bytes, Runnable work) {}

    /** What one connection has here. */
    private static final class Waiting {
        final ArrayDeque<Entry> queue = new ArrayDeque<>();
        int prompts; // those in the queue, and those with the tokenizer
        long bytes;
    }

    /** @param executor does work in order, one at a time; rejects what comes once it is shut down */
    PromptIntake(PromptLimits limits, Executor executor) {
        this.limits = limits;
        this.executor = executor;
    }

    /**
     * Queues work.
     *
     * @param promptBytes that it holds until it is done
     * @return why it was refused, with the numbers; empty if it was taken
     * @throws RejectedExecutionException if the executor takes nothing any more
     */
    Optional<String> offer(Party party, long promptBytes, Runnable work) {
        Entry entry = new Entry(party, promptBytes, work);
        String full = add(entry);
        if (full != null) {
            return Optional.of(full);
        }
        try {
            executor.execute(this::next);
        } catch (RejectedExecutionException e) {
            if (withdraw(entry)) {
                throw e;
            }
            next(); // the executor has taken this one up in the place of another, which would wait for ever
        }
        return Optional.empty();
    }

    private synchronized @Nullable String add(Entry entry) {
        Waiting own = byParty.get(entry.party);
        boolean hasSome = byParty.keySet().stream().anyMatch(party -> party.account().equals(entry.party.account()));
        if (prompts >= limits.maxPrompts(hasSome)) {
            return "too many prompts wait to be tokenized: prompts=%d, limit=%d".formatted(prompts, limits.maxPrompts(hasSome));
        }
        if (prompts > 0 && bytes + entry.bytes > limits.maxBytes(hasSome)) {
            return "prompts that wait to be tokenized are too long: waiting_bytes=%d, bytes=%d, limit=%d"
                    .formatted(bytes, entry.bytes, limits.maxBytes(hasSome));
        }
        if (own != null && own.bytes + entry.bytes > limits.maxBytesPerConnection()) {
            return "prompts of this connection that wait to be tokenized are too long: waiting_bytes=%d, bytes=%d, limit=%d"
                    .formatted(own.bytes, entry.bytes, limits.maxBytesPerConnection());
        }
        Waiting waiting = byParty.computeIfAbsent(entry.party, party -> new Waiting());
        waiting.queue.add(entry);
        turns.join(entry.party);
        count(waiting, entry, 1);
        return null;
    }

    private void count(Waiting waiting, Entry entry, int sign) {
        waiting.prompts += sign;
        waiting.bytes += sign * entry.bytes;
        prompts += sign;
        bytes += sign * entry.bytes;
    }

    /** Does the work whose turn it is. */
    private void next() {
        Entry entry = take();
        if (entry != null) {
            try {
                entry.work.run();
            } finally {
                release(entry);
            }
        }
    }

    private synchronized @Nullable Entry take() {
        Party party = turns.next(candidate -> {
            Waiting waiting = byParty.get(candidate);
            return waiting != null && !waiting.queue.isEmpty();
        });
        Waiting waiting = party == null ? null : byParty.get(party);
        if (party == null || waiting == null) {
            return null; // withdrawn
        }
        Entry entry = waiting.queue.remove();
        turns.charge(party, entry.bytes);
        return entry;
    }

    /** Whether it was still waiting. */
    private synchronized boolean withdraw(Entry entry) {
        Waiting waiting = byParty.get(entry.party);
        boolean waited = waiting != null && waiting.queue.removeLastOccurrence(entry);
        if (waited) {
            release(entry);
        }
        return waited;
    }

    private synchronized void release(Entry entry) {
        Waiting waiting = byParty.get(entry.party);
        if (waiting != null) {
            count(waiting, entry, -1);
            turns.leave(entry.party);
            if (waiting.prompts == 0) {
                byParty.remove(entry.party);
            }
        }
    }

    /** Prompts that wait or are with the tokenizer. */
    synchronized int prompts() {
        return prompts;
    }

    /** What these hold. */
    synchronized long bytes() {
        return bytes;
    }
}
