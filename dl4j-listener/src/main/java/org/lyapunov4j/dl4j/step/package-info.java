// SPDX-License-Identifier: Apache-2.0
/** Reading from a Deeplearning4j model what one of its training steps does. */
package org.lyapunov4j.dl4j.step;
