package dev.tidestream.server.bench.cluster;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.sampling.Sample;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.server.cluster.route.RouteRequest;
import dev.tidestream.server.scheduler.Completion;
import dev.tidestream.server.scheduler.GeneratedToken;
import dev.tidestream.server.scheduler.SequenceClient;

/** A request and its tokens so far; takes whatever comes. What a worker says of it is the worker's until its step has ended. */
final class SimStream implements SequenceClient {
    private static final long ENOUGH = Long.MAX_VALUE / 2;

    private final long number;
    private final Conversation conversation;
    private final int[] prompt;
    private final int wanted;
    private final long arrivalNs;
    private final RouteRequest route;
    private final Set<String> refusedBy = new HashSet<>();
    private @Nullable SimWorker worker;
    private int tokens;
    private long lastNs;
    private boolean moving;

    SimStream(long number, Conversation conversation, int[] prompt, int wanted, long arrivalNs, RouteRequest route) {
        this.number = number;
        this.conversation = conversation;
        this.prompt = prompt;
        this.wanted = wanted;
        this.arrivalNs = arrivalNs;
        this.route = route;
        lastNs = arrivalNs;
    }

    long number() {
        return number;
    }

    Conversation conversation() {
        return conversation;
    }

    int[] prompt() {
        return prompt;
    }

    int wanted() {
        return wanted;
    }

    long arrivalNs() {
        return arrivalNs;
    }

    RouteRequest route() {
        return route;
    }

    /** Names of workers that said {@code busy} since it was sent out last. */
    Set<String> refusedBy() {
        return refusedBy;
    }

    int tokens() {
        return tokens;
    }

    /** Tokens that the next worker is told of. */
    int[] generated() {
        int[] all = new int[tokens];
        Arrays.fill(all, PacedModel.LIKELIEST);
        return all;
    }

    /** It is at that worker from now on. */
    void at(SimWorker now) {
        worker = now;
    }

    /** Its worker is dead. */
    void move() {
        worker = null;
        refusedBy.clear();
        moving |= tokens > 0;
    }

    /** Whether the next token comes from another worker than the one before. */
    boolean moving() {
        return moving;
    }

    /**
     * A token reached the client.
     *
     * @return nanoseconds since the one before, or since the request came
     * @throws IllegalStateException if it is not the next one
     */
    long took(int seq, long nowNs) {
        if (seq != tokens || tokens == wanted) {
            throw new IllegalStateException("a token is lost or comes again: stream=%d, seq=%d, expected=%d of %d"
                    .formatted(number, seq, tokens, wanted));
        }
        tokens++;
        long gapNs = nowNs - lastNs;
        lastNs = nowNs;
        moving = false;
        return gapNs;
    }

    @Override
    public long demand() {
        return ENOUGH;
    }

    @Override
    public boolean settle() {
        return false;
    }

    @Override
    public boolean stopRequested() {
        return false;
    }

    @Override
    public void accepted(long weightsVersion, HeadMode headMode, int promptTokens) {
        // nothing is measured from there
    }

    @Override
    public void progress(int prefilled, int of) {
        // nobody looks
    }

    @Override
    public void scored(List<Sample> scores) {
        throw new IllegalStateException("scores were not asked for: stream=" + number);
    }

    @Override
    public void token(GeneratedToken token) {
        requireWorker().says(this, token);
    }

    @Override
    public void stopped(Completion completion) {
        throw new IllegalStateException("nobody stops it: stream=" + number);
    }

    @Override
    public void failed(ErrorCode code, String message) {
        if (code != ErrorCode.BUSY) {
            throw new IllegalStateException("a stream failed: stream=%d, code=%s: %s".formatted(number, code, message));
        }
        requireWorker().refuses(this);
    }

    private SimWorker requireWorker() {
        if (worker == null) {
            throw new IllegalStateException("a stream of no worker: stream=" + number);
        }
        return worker;
    }
}
