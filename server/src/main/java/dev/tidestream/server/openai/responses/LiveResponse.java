package dev.tidestream.server.openai.responses;

import java.util.ArrayList;
import java.util.List;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.Usage;
import dev.tidestream.server.keys.Owner;
import dev.tidestream.server.openai.wire.Ids;
import dev.tidestream.server.openai.wire.ResponseRequest;
import dev.tidestream.server.transport.http.HttpError;

/**
 * One answer: what has come of it, how it ended, and who follows it. Event loop; nothing changes once it has ended. Who sees that it
 * has ended, on whatever thread, sees all of it: the end is written last.
 */
public final class LiveResponse {
    private static final int DELTA_BYTES = 96; // beside its text
    private static final long BYTES_EACH = 4096; // what is echoed, and objects

    /** How far it is. */
    public enum Status {
        /** It runs. */
        IN_PROGRESS("in_progress"),
        /** The model has come to an end. */
        COMPLETED("completed"),
        /** It came to its limit. */
        INCOMPLETE("incomplete"),
        /** Something went wrong. */
        FAILED("failed"),
        /** Nobody wanted more of it. */
        CANCELLED("cancelled");

        private final String wireName;

        Status(String wireName) {
            this.wireName = wireName;
        }

        /** As answers say it. */
        public String wireName() {
            return wireName;
        }
    }

    /**
     * Text that came at once.
     *
     * @param logprobs entries of a list, in JSON, without the brackets; of all tokens that it took
     */
    public record Delta(String text, String logprobs, long weightsVersion, int seq, int token) {}

    /**
     * What its events begin with.
     *
     * @param weightsVersion of its last token
     */
    public record Begin(long weightsVersion, long seed, String fingerprint) {
        static final Begin NOT_YET = new Begin(0, 0, "");
    }

    /**
     * How it ended.
     *
     * @param endedS in seconds since 1970
     * @param usage null if it did not come to its end
     * @param error of one that has failed
     * @param receipt of its stream, if that was asked for
     */
    public record End(Status status, long endedS, @Nullable Usage usage, @Nullable HttpError error, @Nullable String receipt) {}

    /**
     * The answer's name, and what made it.
     *
     * @param owner whose it is: nobody else sees it
     * @param itemId of the one message in it
     * @param createdS in seconds since 1970
     * @param store whether it is kept
     * @param warmUp whether it has no message, and none is generated
     * @param items of the input, as they are shown again
     * @param echo the fields of the request as each answer has them
     * @param conversation that it answers
     */
    public record Origin(
            String id, Owner owner, String itemId, long createdS, String model, boolean store, boolean warmUp, List<JsonNode> items, ObjectNode echo,
            List<JsonNode> conversation) {
        /**
         * Of a new answer.
         *
         * @param prior the conversation before the request
         */
        public static Origin of(String model, Owner owner, ResponseRequest request, List<JsonNode> prior) {
            List<JsonNode> conversation = new ArrayList<>(prior);
            conversation.addAll(request.messages());
            return new Origin(Ids.next("resp_"), owner, Ids.next("msg_"), System.currentTimeMillis() / 1000, model, request.store(),
                    !request.generate(), request.items(), request.echo(), List.copyOf(conversation));
        }
    }

    private final Origin origin;
    private final List<Delta> deltas = new ArrayList<>();
    private final List<Runnable> followers = new ArrayList<>();
    private Runnable canceller = () -> { };
    private Begin begin = Begin.NOT_YET;
    private volatile @Nullable End end;
    private volatile boolean deleted;
    private long bytes;
    private volatile long bytesOfOrigin; // 0: not known yet
    private long weightsVersion;

    /** One of which nothing has come. */
    public LiveResponse(Origin origin) {
        this.origin = origin;
    }

    /** One that has ended, as it was kept. */
    public static LiveResponse ended(Origin origin, Begin begin, List<Delta> deltas, End end) {
        LiveResponse response = new LiveResponse(origin);
        response.begun(begin);
        deltas.forEach(response::add);
        response.end(end.status(), end.usage(), end.error(), end.receipt());
        response.end = end;
        return response;
    }

    /** Its name, and what made it. */
    public Origin origin() {
        return origin;
    }

    void begun(Begin how) {
        begin = how;
        weightsVersion = how.weightsVersion();
    }

    void add(Delta delta) {
        deltas.add(delta);
        bytes += DELTA_BYTES + 2L * delta.text().length() + delta.logprobs().length();
        weightsVersion = delta.weightsVersion();
        tell();
    }

    void end(Status how, @Nullable Usage usage, @Nullable HttpError error, @Nullable String receipt) {
        if (end != null) {
            throw new IllegalStateException("a response ends once: id=%s, status=%s, again=%s".formatted(origin.id(), status(), how));
        }
        end = new End(how, System.currentTimeMillis() / 1000, usage, error, receipt);
        tell();
        followers.clear();
    }

    private void tell() {
        if (!followers.isEmpty()) { // seldom there are any
            List.copyOf(followers).forEach(Runnable::run);
        }
    }

    /** Calls this whenever there is more, and once more at the end. */
    public void follow(Runnable follower) {
        followers.add(follower);
    }

    void unfollow(Runnable follower) {
        followers.remove(follower);
    }

    /** What ends it early. */
    public void cancelBy(Runnable how) {
        canceller = how;
    }

    void cancel() {
        canceller.run();
    }

    /** It is not to be kept. */
    void delete() {
        deleted = true;
    }

    /** Whether it is not to be kept. */
    public boolean deleted() {
        return deleted;
    }

    /** How far it is. */
    public Status status() {
        End how = end;
        return how == null ? Status.IN_PROGRESS : how.status();
    }

    /** Whether nothing more will come. */
    public boolean ended() {
        return end != null;
    }

    /** How it ended; null while it runs. */
    public @Nullable End end() {
        return end;
    }

    /** What it began with. */
    public Begin begin() {
        return begin;
    }

    /** Its text, piece by piece. */
    public List<Delta> deltas() {
        return deltas;
    }

    /** An estimate of what its text takes. */
    public long bytes() {
        return bytes;
    }

    /** An estimate of what it takes with all that belongs to it. */
    public long heldBytes() {
        long ofOrigin = bytesOfOrigin;
        if (ofOrigin == 0) {
            ofOrigin = BYTES_EACH + bytes(origin.conversation()) + bytes(origin.items()) + 2L * origin.echo().toString().length();
            bytesOfOrigin = ofOrigin;
        }
        return ofOrigin + 2 * bytes; // its text is in the conversation, too
    }

    private static long bytes(List<JsonNode> nodes) {
        long sum = 0;
        for (JsonNode node : nodes) {
            sum += 2L * node.toString().length();
        }
        return sum;
    }

    /** Of the last token, or of the beginning. */
    long weightsVersion() {
        return weightsVersion;
    }

    /** Whether later requests can go on from it. */
    public boolean canGoOn() {
        return ended() && status() != Status.FAILED;
    }

    /** The conversation that it answers, and its answer. */
    public List<JsonNode> conversation() {
        if (origin.warmUp()) {
            return origin.conversation();
        }
        List<JsonNode> conversation = new ArrayList<>(origin.conversation());
        conversation.add(JsonNodeFactory.instance.objectNode().put("role", "assistant").put("content", text()));
        return conversation;
    }

    /** All of its text. */
    public String text() {
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
