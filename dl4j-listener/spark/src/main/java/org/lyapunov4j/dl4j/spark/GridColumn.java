// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.spark;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import org.apache.spark.broadcast.Broadcast;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;
import org.lyapunov4j.dl4j.record.Json;
import org.lyapunov4j.step.SgdStep;

/** Learning rates at one batch size, which share η_c. */
record GridColumn(Broadcast<SentGram> gram, SentSettings settings, List<SgdStep> steps)
    implements Work {
  @Override
  public List<String> names() {
    return steps.stream().map(GridColumn::name).toList();
  }

  static String name(SgdStep step) {
    return "rate-" + step.learningRate() + "-batch-" + step.batchSize();
  }

  @Override
  public List<String> compute(BooleanSupplier cancelled) {
    List<String> reports = new ArrayList<>();
    for (SgdStep step : steps) {
      if (cancelled.getAsBoolean()) {
        throw new CancellationException("the job was cancelled");
      }
      reports.add(Json.line(CheckpointDocument.of(gram.value().analysis(settings).apply(step))));
    }
    return reports;
  }
}
