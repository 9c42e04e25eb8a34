package dev.tidestream.loadtest.figures;

import java.util.List;
import java.util.Map;
import java.util.Objects;

import org.jspecify.annotations.Nullable;

/**
 * What a run measured, warm-up apart. A request belongs to it if it was to start in the measured window; a token, if it came in
 * it.
 *
 * @param seconds length of the measured window
 * @param finished requests that ended in {@code finished}, by the server's own will
 * @param cancelled by a fault of ours, or because the drain was over
 * @param vanished whose connection a fault of ours broke
 * @param failed by an error
 * @param tokensPerS tokens of the window over its length
 * @param streamTokensPerS median of the streams' own rates after their first token
 * @param ttft from the intended start to the first token
 * @param laterTtft the part of {@code ttft} that belongs to later turns of conversations
 * @param itl between two tokens of a stream
 * @param tpot mean of {@code itl} of each stream
 * @param e2e from the intended start to the end
 * @param lateness of the client itself: from the intended start until the request went out
 * @param good finished requests that met the SLO
 * @param goodShare of all requests of the window that no fault of ours ended
 * @param errors by code, admin channel included ({@code admin:CODE})
 * @param errorExamples what was said with the first of a code, if anything was
 * @param admin latencies of acknowledged admin requests, by kind
 * @param versions lowest and highest weights version that made a token; empty without tokens
 * @param promptTokens of requests that have ended, by the server's account
 * @param cachedTokens those of them that the server says it did not compute, since others had begun the same; 0 if it says nothing
 * @param resumes streams that went on on another connection, of the whole run; null if none was to
 */
public record Figures(
        double seconds,
        long requests,
        long finished,
        long cancelled,
        long vanished,
        long failed,
        double requestsPerS,
        long tokens,
        double tokensPerS,
        double streamTokensPerS,
        Latency ttft,
        Latency laterTtft,
        Latency itl,
        Latency tpot,
        Latency e2e,
        Latency lateness,
        long good,
        double goodShare,
        double goodPerS,
        Map<String, Long> errors,
        Map<String, String> errorExamples,
        Map<String, Latency> admin,
        List<Long> versions,
        ClientCpu client,
        @Nullable ServerUse server,
        long promptTokens,
        long cachedTokens,
        @Nullable Resumes resumes) {

    public Figures {
        errors = Map.copyOf(errors);
        // reports of before have none
        errorExamples = Map.copyOf(Objects.requireNonNullElse(errorExamples, Map.<String, String>of()));
        admin = Map.copyOf(admin);
        versions = List.copyOf(versions);
    }

    /**
     * What became of streams whose connection was broken off, to go on on another one.
     *
     * @param dropped whose connection was broken off
     * @param resumed that the server accepted on another
     * @param refused by code, also those that failed after they were accepted there
     * @param lost tokens of them that never came
     * @param repeated tokens of them that came again
     */
    public record Resumes(long dropped, long resumed, Map<String, Long> refused, long lost, long repeated) {
        public Resumes {
            refused = Map.copyOf(refused);
        }
    }

    /**
     * What the tool itself used in the measured window.
     *
     * @param cores busy on average, all threads
     * @param ioShare share of the window in which the I/O thread was busy
     * @param othersCores busy on this machine with neither the tool nor a server that it started; 0 without such a server, since
     *     then they might be the server
     * @param bottleneck whether the client may have limited what was measured
     */
    public record ClientCpu(double cores, double ioShare, double othersCores, boolean bottleneck) {}

    /**
     * What a server that we started used in the measured window.
     *
     * @param cores busy on average
     * @param rssMb resident memory at the end, in MiB; 0 if unknown
     */
    public record ServerUse(double cores, double rssMb) {}
}
