package dev.tidestream.server.cluster;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.kernels.KernelSelection;
import dev.tidestream.model.tensor.KvType;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.transformer.ActivationPrecision;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.app.ModelFiles;
import dev.tidestream.server.app.ModelRuntime;
import dev.tidestream.server.engine.Continuation;
import dev.tidestream.server.engine.GenerateRequest;
import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.epoch.ModelEpoch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

/** Streams that follow the weights, and streams that do not, over a failover with an update before it. */
class RelayFollowIT {
    private static final int TOKENS = 60;
    private static final SamplingOptions GREEDY = new SamplingOptions(0, 0, 1, 0, 1, 0, 0, Map.of(), OptionalLong.of(3));

    private final List<ModelRuntime> workers = RelayFixture.workers(2);
    private final List<ModelSource> files = new ArrayList<>();

    @SuppressWarnings("NullAway.Init") // in each test
    private RelayFixture relay;

    @BeforeEach
    void start() {
        relay = new RelayFixture(workers, Duration.ofSeconds(2), Duration.ofSeconds(20));
    }

    @AfterEach
    void close() {
        relay.close();
        workers.forEach(ModelRuntime::close);
        files.forEach(ModelSource::close);
    }

    /** Another version whose tokens differ: the same weights, computed with other activations. */
    private void update(ModelRuntime worker) {
        ModelSource file = ModelFiles.open(null);
        files.add(file);
        LoadedModel next = new ModelLoader(file).load(KernelSelection.fastest(), WorkerTeam.sequential(), (stage, done, of) -> { });
        worker.epochs().publish(ModelEpoch.of(2, next, model -> model.newTransformer(WorkerTeam.sequential(), ActivationPrecision.F32, KvType.F16,
                ModelRuntime.MAX_ROWS)));
    }

    private static GenerateRequest request(WeightsPolicy weights) {
        return new GenerateRequest("Once upon a time", List.of(), false, null, TOKENS, GREEDY, List.of(), 3, -1, weights, new Object());
    }

    /** Tokens as a worker makes them behind some that are given. */
    private static List<TokenEvent.Token> madeBy(ModelRuntime worker, GenerateRequest request, List<TokenEvent.Token> before, long version)
            throws Exception {
        int[] ids = before.stream().mapToInt(TokenEvent.Token::token).toArray();
        Reading reading = Reading.of(worker.engine().generate(request.continued(3, new Continuation(ids, version))), Long.MAX_VALUE);
        assertNull(reading.end());
        return withoutEnd(reading.tokens());
    }

    private static List<TokenEvent.Token> withoutEnd(List<TokenEvent.Token> tokens) {
        return tokens.stream().map(t -> new TokenEvent.Token(t.seq(), t.token(), t.text(), t.weightsVersion(), t.logprob(), t.topLogprobs(), null)).toList();
    }

    @Test
    void shouldGoOnWithTheVersionThatAStreamFollowed() throws Exception {
        GenerateRequest request = request(WeightsPolicy.FOLLOW_AND_RECOMPUTE);
        Reading reading = Reading.of(relay.engine.generate(request), 21);
        reading.awaitTokens(20);
        RelayFixture.Node first = relay.busy();
        RelayFixture.Node other = relay.nodes.get(1 - relay.nodes.indexOf(first));
        update(first.running);
        reading.request(10);
        reading.awaitTokens(30); // ten of them of the new version
        first.proxy.cut(); // the other has not got it yet
        reading.request(Long.MAX_VALUE);
        RelayFixture.await(() -> relay.engine.counters().failovers() == 1);
        assertEquals(30, reading.tokens().size());
        update(other.running);
        relay.tellStates();
        assertNull(reading.end());
        List<TokenEvent.Token> tokens = withoutEnd(reading.tokens());
        assertEquals(TOKENS, tokens.size());
        assertEquals(2, tokens.getLast().weightsVersion());
        int changed = (int) tokens.stream().filter(t -> t.weightsVersion() == 1).count();
        assertEquals(20, changed);
        List<TokenEvent.Token> expected = madeBy(first.running, request, tokens.subList(0, changed), Continuation.NEWEST);
        assertEquals(expected, tokens.subList(changed, TOKENS)); // as if nothing had been
    }

    @Test
    void shouldKeepAPinnedStreamOnItsVersion() throws Exception {
        GenerateRequest request = request(WeightsPolicy.PIN);
        List<TokenEvent.Token> undisturbed = madeBy(workers.getFirst(), request, List.of(), 1);
        Reading reading = Reading.of(relay.engine.generate(request), 21);
        reading.awaitTokens(20);
        RelayFixture.Node first = relay.busy();
        RelayFixture.Node other = relay.nodes.get(1 - relay.nodes.indexOf(first));
        Reading holder = Reading.of(other.running.engine().generate(request(WeightsPolicy.PIN)), 1); // has the old version stay in memory
        RelayFixture.await(() -> holder.events().size() == 1);
        update(first.running);
        update(other.running);
        relay.tellStates();
        first.proxy.cut();
        reading.request(Long.MAX_VALUE);
        assertNull(reading.end());
        assertEquals(undisturbed, withoutEnd(reading.tokens()));
        holder.cancel();
        Reading newer = Reading.of(relay.engine.generate(request), Long.MAX_VALUE);
        assertNull(newer.end());
        assertEquals(2, newer.tokens().getFirst().weightsVersion());
        assertNotEquals(undisturbed.getFirst().logprob(), newer.tokens().getFirst().logprob()); // it is another version indeed
    }
}
