// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.StdSerializer;
import java.io.IOException;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;

/**
 * Lets any Jackson mapper write a {@link Checkpoint} as its line in the record, for example from a
 * web endpoint: {@code new ObjectMapper().registerModule(new CheckpointModule())}.
 */
public final class CheckpointModule extends SimpleModule {
  private static final long serialVersionUID = 1;

  /** The module. */
  public CheckpointModule() {
    super("lyapunov4j");
    addSerializer(Checkpoint.class, new CheckpointSerializer());
  }

  private static final class CheckpointSerializer extends StdSerializer<Checkpoint> {
    private static final long serialVersionUID = 1;

    CheckpointSerializer() {
      super(Checkpoint.class);
    }

    @Override
    public void serialize(
        Checkpoint checkpoint, JsonGenerator generator, SerializerProvider provider)
        throws IOException {
      generator.writeRawValue(Json.line(new CheckpointLine(CheckpointDocument.of(checkpoint))));
    }
  }
}
