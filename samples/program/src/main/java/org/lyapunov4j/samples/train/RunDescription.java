// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.train;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What is trained, and how.
 *
 * @param data the data source as written on the command line
 * @param description the data and their scaling, for people
 * @param examples N
 * @param layers widths from the input to the output
 * @param activation of the hidden layers
 * @param loss Deeplearning4j's name of the loss
 * @param parameters P
 * @param precision of the network
 * @param batchSize B
 * @param step the step in one sentence
 * @param iterations planned steps
 * @param interval steps between checkpoints
 * @param seed fixes the run bit for bit
 */
record RunDescription(
    String data,
    String description,
    int examples,
    List<Integer> layers,
    String activation,
    String loss,
    long parameters,
    String precision,
    int batchSize,
    String step,
    int iterations,
    int interval,
    long seed) {

  /** What the record of the listener does not know by itself. */
  Map<String, Object> note() {
    Map<String, Object> details = new LinkedHashMap<>();
    details.put("data", data);
    details.put("description", description);
    details.put("layers", layers);
    details.put("activation", activation);
    details.put("loss", loss);
    details.put("iterations", iterations);
    details.put("interval", interval);
    details.put("seed", seed);
    return details;
  }
}
