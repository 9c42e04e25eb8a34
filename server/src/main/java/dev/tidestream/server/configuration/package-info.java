/**
 * Where the settings of a server come from: a file, the environment, and what has changed in files since they were read.
 *
 * <p>A setting has one name everywhere: option {@code --max-streams}, key {@code max-streams} of the file, variable
 * {@code TIDESTREAM_MAX_STREAMS}. {@code SettingsFile} reads the file, {@code EnvironmentSettings} the environment, {@code
 * Settings} puts them together: the environment goes before the file. Nothing here knows what a setting means, and nothing an
 * option.
 */
@NullMarked
package dev.tidestream.server.configuration;

import org.jspecify.annotations.NullMarked;
