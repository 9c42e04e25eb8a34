package dev.tidestream.server.admin.store.open;

import java.time.Instant;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

import dev.tidestream.server.admin.store.directory.Sha256;

import static java.nio.charset.StandardCharsets.UTF_8;

/** A transaction with the parts that have come so far. Guarded by {@link OpenTransactions}; what it returns is immutable. */
final class OpenTransaction {
    OpenRequest request;
    final Instant openedAt;
    final NavigableMap<Integer, OpenPart> parts = new TreeMap<>();
    final NavigableMap<Integer, OpenHalf> halves = new TreeMap<>();
    Instant lastUse;
    boolean committing;

    OpenTransaction(OpenRequest request, Instant openedAt) {
        this.request = request;
        this.openedAt = openedAt;
        this.lastUse = openedAt;
    }

    /** How many parts there are, or will be. */
    long numbers() {
        return parts.size() + halves.keySet().stream().filter(number -> !parts.containsKey(number)).count();
    }

    boolean has(int number) {
        return parts.containsKey(number) || halves.containsKey(number);
    }

    /** Of all its parts, those included that have not come to their end. */
    long bytes() {
        return parts.values().stream().mapToLong(OpenPart::bytes).sum() + halves.values().stream().mapToLong(OpenHalf::bytes).sum();
    }

    List<OpenPart> inOrder() {
        return List.copyOf(parts.values());
    }

    /** SHA-256 of a line for each part, in order: its number, a space, its SHA-256, a line feed. */
    static String manifestSha256(List<OpenPart> parts) {
        StringBuilder lines = new StringBuilder();
        parts.forEach(part -> lines.append(part.number()).append(' ').append(part.sha256()).append('\n'));
        return Sha256.of(lines.toString().getBytes(UTF_8));
    }
}
