// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.run;

import java.time.Instant;
import java.util.List;

/**
 * The first line of a record file: what was trained, and how.
 *
 * @param type {@code "run"}
 * @param data the data source as written on the command line
 * @param description the data and their scaling, for people
 * @param examples N
 * @param outputs K
 * @param layers widths from the input to the output
 * @param activation of the hidden layers
 * @param loss Deeplearning4j's name of the loss
 * @param parameters P
 * @param precision of the network
 * @param learningRate η
 * @param batchSize B
 * @param sampling short name of the scheme
 * @param step the step in one sentence
 * @param iterations planned steps
 * @param interval steps between checkpoints
 * @param seed fixes the run bit for bit
 * @param started when it began
 */
public record RunRecord(
    String type,
    String data,
    String description,
    int examples,
    int outputs,
    List<Integer> layers,
    String activation,
    String loss,
    long parameters,
    String precision,
    double learningRate,
    int batchSize,
    String sampling,
    String step,
    int iterations,
    int interval,
    long seed,
    Instant started) {}
