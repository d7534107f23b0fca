// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.spark;

import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.apache.spark.broadcast.Broadcast;
import org.deeplearning4j.nn.api.Model;

/** The checkpoint of one model for one of several probes and seeds. */
record AnalyzeMember(
    String name, Broadcast<byte[]> model, Broadcast<byte[]> probe, SentSettings settings)
    implements Work {
  @Override
  public List<String> names() {
    return List.of(name);
  }

  @Override
  public List<String> compute(BooleanSupplier cancelled) throws IOException {
    Model restored = ModelBytes.restore(model.value());
    try {
      return List.of(
          settings.analyse(restored, ProbeBytes.restore(probe.value()), Instant.EPOCH, cancelled));
    } finally {
      restored.params().close();
    }
  }
}
