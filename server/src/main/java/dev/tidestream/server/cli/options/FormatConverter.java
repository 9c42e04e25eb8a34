package dev.tidestream.server.cli.options;

import java.util.Locale;
import java.util.stream.Collectors;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

import dev.tidestream.model.format.TensorFormat;
import dev.tidestream.model.quantisation.WeightFormats;

/** The name of a format that weights can be brought into, such as {@code q8_0}. */
public final class FormatConverter implements ITypeConverter<TensorFormat> {
    @Override
    public TensorFormat convert(String text) {
        return WeightFormats.choices().stream().filter(format -> format.name().equalsIgnoreCase(text)).findFirst()
                .orElseThrow(() -> new TypeConversionException("must be one of " + WeightFormats.choices().stream()
                        .map(format -> format.name().toLowerCase(Locale.ROOT)).collect(Collectors.joining(", "))));
    }
}
