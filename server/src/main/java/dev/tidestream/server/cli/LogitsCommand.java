package dev.tidestream.server.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.List;
import java.util.concurrent.Callable;

import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;

import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.tensor.memory.PageArena;
import dev.tidestream.model.transformer.KvCache;
import dev.tidestream.model.transformer.KvCaches;
import dev.tidestream.model.transformer.LanguageModel;
import dev.tidestream.model.transformer.LanguageModel.LogitsRows;
import dev.tidestream.model.transformer.LanguageModel.Slice;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.TokenCount;
import dev.tidestream.server.engine.KernelWorkers;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.TRUNCATE_EXISTING;
import static java.nio.file.StandardOpenOption.WRITE;

/** {@code logits}: what the model says at every position of a sequence of tokens. */
@Command(name = "logits") // picocli wants the name of a subcommand on its own class; the rest is inherited
final class LogitsCommand extends LogitsOptions implements Callable<Integer> {
    private static final int CHUNK = 32;

    @Override
    public Integer call() {
        int[] tokens = tokens();
        try (ModelSource file = model.open();
                KernelWorkers workers = new KernelWorkers(compute.config().threads());
                LoadedModel loaded = compute.load(file, workers)) {
            LanguageModel transformer = loaded.newTransformer(workers, compute.config().precision(), CHUNK);
            if (tokens.length > transformer.contextLength()) {
                throw new ParameterException(spec.commandLine(), "--tokens is longer than the context: tokens=%d, context=%d"
                        .formatted(tokens.length, transformer.contextLength()));
            }
            int vocabulary = TokenCount.of(file.metadata()).orElse(transformer.vocabularySize()); // rows behind are padding
            for (int token : tokens) {
                if (token >= vocabulary) {
                    throw new ParameterException(spec.commandLine(), "--tokens: no such token: token=%d, vocabulary=%d"
                            .formatted(token, vocabulary));
                }
            }
            write(transformer, tokens);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + out, e);
        }
        return 0;
    }

    private void write(LanguageModel transformer, int[] tokens) throws IOException {
        float[] logits = new float[CHUNK * transformer.vocabularySize()]; // (chunk, V)
        ByteBuffer bytes = ByteBuffer.allocate(logits.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        try (Arena arena = new PageArena();
                FileChannel channel = FileChannel.open(out, CREATE, WRITE, TRUNCATE_EXISTING)) {
            KvCache cache = KvCaches.cache(transformer, tokens.length, arena);
            for (int from = 0; from < tokens.length; from += CHUNK) {
                int count = Math.min(CHUNK, tokens.length - from);
                transformer.forward(List.of(new Slice(cache, tokens, from, count, LogitsRows.ALL)), logits);
                int floats = count * transformer.vocabularySize();
                bytes.clear();
                bytes.asFloatBuffer().put(logits, 0, floats);
                bytes.limit(floats * Float.BYTES);
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
            }
        }
    }
}
