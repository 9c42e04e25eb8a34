/** Tests of the whole module, and stand-ins for the model that several rooms use. */
@NullMarked
package dev.tidestream.server;

import org.jspecify.annotations.NullMarked;
