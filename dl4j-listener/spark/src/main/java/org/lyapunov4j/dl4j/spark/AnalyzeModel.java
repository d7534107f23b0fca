// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.spark;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import org.apache.spark.broadcast.Broadcast;
import org.deeplearning4j.nn.api.Model;

/** The checkpoint of one saved model. */
record AnalyzeModel(
    SavedModel file, Broadcast<byte[]> hadoop, Broadcast<byte[]> probe, SentSettings settings)
    implements Work {
  @Override
  public List<String> names() {
    return List.of(file.name());
  }

  @Override
  public List<String> compute(BooleanSupplier cancelled) throws IOException {
    try {
      return List.of(analyse(cancelled));
    } catch (CancellationException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      throw new IOException(file.place() + ": " + Jobs.reason(e), e);
    }
  }

  private String analyse(BooleanSupplier cancelled) throws IOException {
    Model model = ModelBytes.restore(file.read(hadoop.value()));
    try {
      return settings.analyse(model, ProbeBytes.restore(probe.value()), file.time(), cancelled);
    } finally {
      model.params().close();
    }
  }
}
