package dev.tidestream.server.cli.options;

import java.util.Optional;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.quantisation.WeightFormats;

/** In which formats weights are held. */
public final class FormatOptions {
    @Option(names = "--weights", paramLabel = "FORMAT", converter = FormatConverter.class,
            description = "Bring matrices into this format when the model is loaded: q8_0, q4_0, q4_k, q6_k, f16, …; norms, biases and"
                    + " ternary layers stay (default: as the file has them).")
    private @Nullable TensorFormat weights;

    @Option(names = "--head-format", paramLabel = "FORMAT", converter = FormatConverter.class,
            description = "The same for the output head, and so for the embedding if it is tied (default: q6_k for --weights of fewer"
                    + " bits, else the same as --weights).")
    private @Nullable TensorFormat head;

    /** What these options say. */
    public WeightFormats formats() {
        return new WeightFormats(Optional.ofNullable(weights), Optional.ofNullable(head));
    }
}
