package dev.tidestream.server.scheduler;

import java.util.List;

import dev.tidestream.model.sampling.Sample;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.server.tracing.RequestTrace;

/**
 * The client's side of a sequence, as the scheduler sees it: how much it wants, and where the results go.
 *
 * <p>All methods are called on the decode thread, must not block and must not throw. Each event but {@link #failed} uses one unit
 * of demand and is given only if there is some. After {@link #stopped}, {@link #failed} or a token with a completion nothing
 * follows.
 */
public interface SequenceClient {

    /** Where its request belongs in its caller's trace; the scheduler hands it on to whoever hears of the end. */
    default RequestTrace trace() {
        return RequestTrace.NONE;
    }

    /** Events that may be given now; falls by one with each event, rises at any time. */
    long demand();

    /**
     * Settles with a client that has left, or has broken the rules of demand, which it is told here.
     *
     * @return whether it gets nothing any more
     */
    boolean settle();

    /** Whether the sequence is to end before its next step, with {@link #stopped}; it is accepted before that. */
    boolean stopRequested();

    /** The sequence waits for its turn, with a lease on the epoch of that version and head mode. */
    void accepted(long weightsVersion, HeadMode headMode, int promptTokens);

    /** So many tokens of the prompt are done. */
    void progress(int prefilled, int of);

    /** How likely the next tokens of the prompt are, in its order; the first is not among them. */
    void scored(List<Sample> scores);

    /** One step's token. */
    void token(GeneratedToken token);

    /** The sequence has ended as it was asked to, or since it had no tokens to make. */
    void stopped(Completion completion);

    /** The sequence was refused or has failed. */
    void failed(ErrorCode code, String message);
}
