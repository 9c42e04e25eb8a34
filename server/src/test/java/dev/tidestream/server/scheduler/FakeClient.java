package dev.tidestream.server.scheduler;

import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.tidestream.model.sampling.Sample;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.protocol.ErrorCode;

/** A client that writes down what it gets, and insists that nothing comes without demand or after the end. */
class FakeClient implements SequenceClient {
    final List<GeneratedToken> tokens = new ArrayList<>();
    final List<Sample> scores = new ArrayList<>();
    final List<String> progress = new ArrayList<>();
    long demand;
    boolean cancelled;
    boolean stopRequested;
    boolean throwsWhenFailed;
    long acceptedVersion = -1;
    @Nullable Completion completion;
    @Nullable ErrorCode error;
    String message = "";

    FakeClient(long demand) {
        this.demand = demand;
    }

    List<Integer> ids() {
        return tokens.stream().map(t -> t.sample().token()).toList();
    }

    String text() {
        return String.join("", tokens.stream().map(GeneratedToken::text).toList());
    }

    boolean ended() {
        return completion != null || error != null;
    }

    private void use() {
        if (demand < 1 || ended() || cancelled) {
            throw new AssertionError("event out of turn: demand=%d, ended=%s, cancelled=%s".formatted(demand, ended(), cancelled));
        }
        demand--;
    }

    @Override
    public long demand() {
        return demand;
    }

    @Override
    public boolean settle() {
        return cancelled;
    }

    @Override
    public boolean stopRequested() {
        return stopRequested;
    }

    @Override
    public void accepted(long weightsVersion, HeadMode headMode, int promptTokens) {
        use();
        acceptedVersion = weightsVersion;
    }

    @Override
    public void progress(int prefilled, int of) {
        use();
        progress.add(prefilled + "/" + of);
    }

    @Override
    public void scored(List<Sample> more) {
        use();
        scores.addAll(more);
    }

    @Override
    public void token(GeneratedToken token) {
        use();
        tokens.add(token);
        completion = token.completion();
    }

    @Override
    public void stopped(Completion end) {
        use();
        completion = end;
    }

    @Override
    public void failed(ErrorCode code, String why) {
        error = code;
        message = why;
        if (throwsWhenFailed) {
            throw new IllegalStateException("as if");
        }
    }
}
