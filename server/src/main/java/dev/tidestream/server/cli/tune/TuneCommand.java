package dev.tidestream.server.cli.tune;

import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.Callable;

import picocli.CommandLine.Command;

import dev.tidestream.console.Printable;
import dev.tidestream.console.Reasons;
import dev.tidestream.model.gguf.ModelSource;
import dev.tidestream.model.nd4j.Nd4jException;
import dev.tidestream.model.nd4j.Nd4jProducts;
import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tokenizer.Tokenizer;
import dev.tidestream.model.transformer.LoadedModel;
import dev.tidestream.model.transformer.ModelLoader;
import dev.tidestream.model.tuning.Adam;
import dev.tidestream.model.tuning.LearningRate;
import dev.tidestream.model.tuning.TokenBlocks;
import dev.tidestream.model.tuning.Trained;
import dev.tidestream.model.tuning.Trainer;
import dev.tidestream.model.tuning.TuningException;
import dev.tidestream.model.tuning.TuningModel;
import dev.tidestream.server.app.ModelFiles;
import dev.tidestream.server.app.ServerConfig;
import dev.tidestream.server.cli.admin.AdminFailedException;
import dev.tidestream.server.cli.terminal.CliException;
import dev.tidestream.server.cli.terminal.TerminalStart;
import dev.tidestream.server.engine.KernelWorkers;
import dev.tidestream.server.safetensors.SafetensorsException;

/** {@code tune}: fine-tunes a small model. */
@Command(name = "tune") // picocli wants the name of a subcommand on its own class; the rest is inherited
public final class TuneCommand extends TuneOptions implements Callable<Integer> {
    private static final int ERROR_CHARS = 2000;
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);

    @Override
    public Integer call() {
        String token = push() == null ? "" : token();
        try (ModelSource file = model.open(); KernelWorkers workers = new KernelWorkers(threads())) {
            Tokenizer tokenizer = ModelFiles.tokenizer(file);
            int[] tokens = TrainingText.tokens(TrainingText.read(data, field), tokenizer);
            TuningModel tuned;
            RunSettings settings;
            try (LoadedModel loaded = load(file, workers)) {
                Trained trained = trained(tokens, loaded.blueprint().vocabularySize());
                settings = settings(file.sampleHash(), sha256(tokens), trained);
                tuned = TuningModel.of(loaded, trained, context(), settings.seed());
            }
            TokenBlocks blocks = new TokenBlocks(tokens, context(), settings.heldOut(), settings.seed());
            run(tuned, settings, blocks, workers, token);
        } catch (TuningException | Nd4jException | SafetensorsException e) {
            throw new CliException(Printable.value(String.valueOf(e.getMessage()), ERROR_CHARS), e);
        } catch (IOException | AdminFailedException e) {
            throw new CliException(Printable.value(Reasons.message(e), ERROR_CHARS), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException("interrupted", e);
        }
        return 0;
    }

    private LoadedModel load(ModelSource file, WorkerTeam team) {
        return ModelFiles.load(new ModelLoader(file), ServerConfig.Compute.DEFAULT, team, new TerminalStart(spec.commandLine().getErr()));
    }

    private void run(TuningModel tuned, RunSettings settings, TokenBlocks blocks, WorkerTeam team, String token)
            throws IOException, SafetensorsException, AdminFailedException, InterruptedException {
        RunDirectory directory = new RunDirectory(out);
        Adam adam = new Adam(tuned.parameters());
        int done = begin(directory, tuned, adam, settings);
        LearningRate rate = new LearningRate(settings.learningRate(), settings.warmup(), settings.steps());
        Trainer trainer = new Trainer(tuned, adam, rate, new Nd4jProducts(), team);
        TuneReport report = new TuneReport(spec.commandLine().getOut(), json, settings.steps());
        report.begin(tuned, blocks, settings, done);
        URI server = push();
        try (VersionSink sink = server == null ? null : AdminVersions.connect(server, token, CONNECT_TIMEOUT, out)) {
            new TuneRun(tuned, trainer, adam, blocks, settings, directory, sink, report).from(done, every());
        }
    }

    /** Returns the step that is done. */
    private int begin(RunDirectory directory, TuningModel tuned, Adam adam, RunSettings settings) throws IOException, SafetensorsException {
        Optional<Path> newest = directory.newest();
        if (resume) {
            Path checkpoint = newest.orElseThrow(() -> new CliException("--resume: there is no checkpoint in " + out));
            return RunDirectory.load(checkpoint, tuned, adam, settings);
        }
        if (newest.isPresent()) {
            throw new CliException("--out %s has checkpoints: go on from them with --resume, or name another directory".formatted(out));
        }
        return 0;
    }

    private static String sha256(int[] tokens) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(tokens.length, Integer.BYTES));
        bytes.asIntBuffer().put(tokens);
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes.array()));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
