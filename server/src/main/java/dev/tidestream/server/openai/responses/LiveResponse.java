package dev.tidestream.server.openai.responses;

import java.util.ArrayList;
import java.util.List;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.Usage;
import dev.tidestream.server.keys.Owner;
import dev.tidestream.server.openai.wire.Ids;
import dev.tidestream.server.openai.wire.ResponseRequest;
import dev.tidestream.server.transport.http.HttpError;

/** One answer: what has come of it, how it ended, and who follows it. Event loop; nothing changes once it has ended. */
final class LiveResponse {
    private static final int DELTA_BYTES = 96; // beside its text

    /** How far it is. */
    enum Status {
        IN_PROGRESS("in_progress"),
        COMPLETED("completed"),
        INCOMPLETE("incomplete"),
        FAILED("failed"),
        CANCELLED("cancelled");

        private final String wireName;

        Status(String wireName) {
            this.wireName = wireName;
        }

        String wireName() {
            return wireName;
        }
    }

    /**
     * Text that came at once.
     *
     * @param logprobs entries of a list, in JSON, without the brackets; of all tokens that it took
     */
    record Delta(String text, String logprobs, long weightsVersion, int seq, int token) {}

    /**
     * The answer's name, and what made it.
     *
     * @param owner whose it is: nobody else sees it
     * @param prior the conversation before the request
     */
    record Origin(String id, String itemId, long createdS, String model, Owner owner, ResponseRequest request, List<JsonNode> prior) {
        static Origin of(String model, Owner owner, ResponseRequest request, List<JsonNode> prior) {
            return new Origin(Ids.next("resp_"), Ids.next("msg_"), System.currentTimeMillis() / 1000, model, owner, request, prior);
        }
    }

    private final Origin origin;
    private final List<Delta> deltas = new ArrayList<>();
    private final List<Runnable> followers = new ArrayList<>();
    private Runnable canceller = () -> { };
    private Status status = Status.IN_PROGRESS;
    private boolean deleted;
    private long bytes;
    private long weightsVersion;
    private long seed;
    private String fingerprint = "";
    private long endedS;
    private @Nullable Usage usage;
    private @Nullable HttpError error;

    LiveResponse(Origin origin) {
        this.origin = origin;
    }

    Origin origin() {
        return origin;
    }

    void begun(long firstVersion, long usedSeed, String firstFingerprint) {
        weightsVersion = firstVersion;
        seed = usedSeed;
        fingerprint = firstFingerprint;
    }

    void add(Delta delta) {
        deltas.add(delta);
        bytes += DELTA_BYTES + 2L * delta.text().length() + delta.logprobs().length();
        weightsVersion = delta.weightsVersion();
        tell();
    }

    void end(Status how, @Nullable Usage counts, @Nullable HttpError why) {
        if (status != Status.IN_PROGRESS) {
            throw new IllegalStateException("a response ends once: id=%s, status=%s, again=%s".formatted(origin.id(), status, how));
        }
        status = how;
        usage = counts;
        error = why;
        endedS = System.currentTimeMillis() / 1000;
        tell();
        followers.clear();
    }

    private void tell() {
        List.copyOf(followers).forEach(Runnable::run);
    }

    /** Calls this whenever there is more, and once more at the end. */
    void follow(Runnable follower) {
        followers.add(follower);
    }

    void unfollow(Runnable follower) {
        followers.remove(follower);
    }

    /** What ends it early. */
    void cancelBy(Runnable how) {
        canceller = how;
    }

    void cancel() {
        canceller.run();
    }

    /** It is not to be kept. */
    void delete() {
        deleted = true;
    }

    boolean deleted() {
        return deleted;
    }

    Status status() {
        return status;
    }

    boolean ended() {
        return status != Status.IN_PROGRESS;
    }

    List<Delta> deltas() {
        return deltas;
    }

    /** An estimate of what it takes. */
    long bytes() {
        return bytes;
    }

    long weightsVersion() {
        return weightsVersion;
    }

    long seed() {
        return seed;
    }

    String fingerprint() {
        return fingerprint;
    }

    long endedS() {
        return endedS;
    }

    @Nullable Usage usage() {
        return usage;
    }

    @Nullable HttpError error() {
        return error;
    }

    /** All of its text. */
    String text() {
        StringBuilder text = new StringBuilder();
        deltas.forEach(delta -> text.append(delta.text()));
        return text.toString();
    }

    /** Entries of all its log-probabilities. */
    String logprobs() {
        StringBuilder all = new StringBuilder();
        for (Delta delta : deltas) {
            all.append(all.isEmpty() || delta.logprobs().isEmpty() ? "" : ",").append(delta.logprobs());
        }
        return all.toString();
    }
}
