/**
 * The fixed texts of the lesson in English. index.html has them once more, so they load only when somebody comes
 * back to English from another language. `code`, *emphasis* and **strong** are marked as in Markdown.
 */

export const englishProse = {
  skip: "Skip to the lesson",
  ladderTitle: "How a convolution gets fast",
  trainingTitle: "A training step as it happens",
  noWebGpuTitle: "Nothing can run here: this browser offers no WebGPU",
  noWebGpuText:
    "The texts, drawings and programs below can be read all the same. To run them, use a current Chrome or Edge, Firefox 141 or newer on Windows, or Safari 26, over https or from localhost.",
  libraryMessage: "The library's own message",
  ladderLead:
    "A network that enlarges a photograph spends nearly all its time in one operation. Here it is written six times, each time a little cleverer, in WGSL, the language in which browsers program graphics cards. The programs run on *your* card: they are checked against plain loops, timed, and yours to change.",
  convolution: "Convolution",
  runAll: "Run all steps",
  step: "Step",
  ceilingEnd: "the card's ceiling",
  shareColumn: "of the ceiling",
  timeColumn: "Time",
  speedUp: "Speed-up",
  result: "Result",
  copyReport: "Copy as Markdown",
  downloadReport: "Download JSON",
  taskTitle: "What is to be computed",
  taskChannels:
    "A picture comes as channels: red, green and blue at first, later 64 *feature maps* that a network has made for itself. A convolution makes new channels of them. Each output value is a weighted sum of the pixels around its place, in all input channels. In Python:",
  loops: `for o in range(outputs):              # each output channel
  for row in range(height):           # each place in the picture
    for column in range(width):
      for c in range(inputs):         # each input channel
        for ky in range(3):           # each pixel of the window
          for kx in range(3):
            y[o, row, column] += x[c, row + ky - 1, column + kx - 1] * weight[o, c, ky, kx]`,
  taskMultiplyAdds:
    "Here `y` begins at 0, and outside the picture `x` counts as 0. (In Python itself, an index of -1 would be the last row.) The last line is a *multiply-add*. With 64 channels in and out, a picture of 64 × 64 pixels needs 151 million of them. All outputs can be computed at once, since none needs another. That is what a graphics card is for: it has hundreds or thousands of arithmetic units. But each of them needs two numbers to multiply, and there lies the difficulty. A multiply-add takes one cycle. A number from memory takes hundreds. So all the steps below are about one question:",
  question: "How many multiply-adds can we do with each number that we load?",
  thread: "Thread",
  threadText: "One run of the program, on its own part of the data. The card runs very many at once.",
  register: "Register",
  registerText:
    "Where a thread keeps its own variables. Costs nothing to read. There are a few dozen to 255.",
  workgroup: "Workgroup",
  workgroupText:
    "Threads that start together, share a small *workgroup memory* (16 KiB, quick on a card), and can wait for each other at a *barrier*.",
  subgroup: "Subgroup",
  subgroupText:
    "4 to 128 threads of a workgroup, its *lanes*, that execute every instruction in step, and can hand each other values.",
  ladderPart: "The ladder",
  ladderText:
    "Change whatever you like. What does not compile is shown with its line; what computes something wrong is said to be wrong, and where. One caution: a loop that never ends can stop the whole browser from drawing for some seconds, until it resets the card.",
  naiveTitle: "One thread for each output",
  naive1:
    "Take the loops above and let the card run the outer three. Each thread computes one value of `y`: the threads replace the loops over `o`, `row` and `column`, and the loops over `c`, `ky` and `kx` stay.",
  naive2:
    "It is right, and it is short. But each multiply-add needs two loads, a pixel and a weight: half a multiply-add for each load. Neighbours load nearly the same pixels, and all threads of an output channel load the same weights, each for itself.",
  naiveTry:
    "**Try:** change `id.x` and `id.y` for each other in the line `let column = …`. The result stays right. On a card it gets slower, because threads side by side then read pixels that are far apart. Or delete the line of `x_at` with the `if`, and see where the result goes wrong.",
  tiledTitle: "Share the pixels",
  tiled1:
    "A workgroup of 16 × 16 threads computes a square of the output. Before each input channel, its threads together copy the pixels under the square into workgroup memory, and wait at a barrier until all are there. Then each thread takes its nine pixels from that memory.",
  tiled2:
    "A pixel now comes from memory about once, not nine times. The weights still come one by one: so 0.9 multiply-adds for each load. On a card that helps a little. On a processor that stands in for a card it is even slower than step 1: there, workgroup memory is ordinary memory, and at each barrier 256 threads have to be set aside and taken up again.",
  tiledTry:
    "**Try:** delete the second `workgroupBarrier()`. Now quick threads overwrite what slow ones still read. Perhaps the result is wrong, perhaps it is right by luck: that is what a race is.",
  blockedTitle: "Let each thread do more",
  blocked1:
    "The best memory is the registers. So a thread computes a whole block of outputs: 8 pixels side by side in 16 channels, 128 sums at once. For one row of the window it loads 10 pixels and 3 × 16 weights. Each pixel then serves 16 channels and up to three places of the window, each weight 8 pixels: 58 loads for 384 multiply-adds.",
  blocked2:
    "That is 6.6 for each load, thirteen times as many as in step 1, without any barrier. This is the idea of every fast matrix product: a block of *a* × *b* sums needs only *a* + *b* loads.",
  blockedTry:
    "**Try:** the mark `// @unroll` makes the library write a loop out before it is compiled. Remove the mark from the loop around `sums[o * PIXELS + i] +=`. Now the index is no constant, the sums cannot stay in registers, and on most adapters the time shows it.",
  broadcastTitle: "Load a weight once and hand it round",
  broadcast1:
    "All lanes of a subgroup have the same output channels, so all need the same 48 weights at the same time. In step 3 each lane loads them all. Here each lane loads its share, and whenever a weight is needed, the lane that has it hands it to all others: `subgroupBroadcast` (on lavapipe `subgroupShuffle`, which is faster there; the lanes then hand each other pixels, too).",
  broadcast2:
    "A real card notices by itself when lanes load the same address, and gains little. A processor that stands in for a card does not notice, and here becomes several times as fast.",
  broadcastTry:
    "**Try:** let lane 0 hand round all weights: put `0` in place of `(kx * CHANNELS + o) % LANES`, in both lines that have it. It is just as fast, and wrong. A time without a check is worth nothing.",
  noSubgroups:
    "This adapter has no subgroups of one fixed size, which a broadcast needs, so this step does not run here.",
  sharedTitle: "Share and block at once",
  shared1:
    "Steps 2 and 3 together, for real cards. The workgroup copies pixels *and* weights of a few input channels into workgroup memory, and each thread computes a block of sums from there. A pixel comes from memory once for all channels of the tile, a weight once for all its pixels.",
  shared2:
    "The block is now a *column* of pixels. Threads side by side then read neighbouring words of workgroup memory, which lie in different *banks* and come at the same time. If all read from one bank, they would queue.",
  sharedTry:
    "**Try:** write the innermost line with `fma`: `sums[…] = fma(w, vec4f(under[…]), sums[…]);`. Is it faster, or had the compiler thought of it already?",
  noTile: "No tile of this step fits the window of this convolution.",
  prefetchTitle: "Fetch ahead",
  prefetch1:
    "In step 5 the threads load, wait, compute, and wait again. But a card does not stop at a load: it stops where the loaded value is first *used*. So each thread now loads its share of the next round into registers first, computes the present round meanwhile, and only then puts what has arrived into workgroup memory.",
  prefetch2:
    "It saves instructions, too. Where a thread's share lies is the same in every round, so it finds the places once, before the first. And pixels come in pairs: a block is two columns wide, and one read of workgroup memory brings two pixels. This is the kernel that the library runs on real cards; on software adapters it is step 4.",
  prefetchTry:
    "**Try:** move the block `if (first_c < p.c) { … }` behind the block `if (turn > 0) { … }` that computes. The result is the same, and the loads come too late: this is step 5 again.",
  backPart: "The way back",
  backText:
    "Training needs two more convolutions for each layer. The loss says by `dy` how it would change with each output; the chain rule then gives its derivatives with respect to each pixel, `dx`, and each weight, `dw`. For `dx` the steps above serve again, with the weights turned round. Each value of `dw` is the sum, over all places, of `dy` times the pixel that the weight met there. Few results, each a sum of thousands of products. The same ladder, turned round.",
  gradNaiveTitle: "One thread for each weight",
  gradNaive1:
    "The definition again: a thread adds up one weight's products over all places. 64 × 64 channels with a 3 × 3 window make 36,864 threads, and that is too few to fill a large card. Each reads both tensors over again, and each product costs two loads.",
  gradNaiveTry:
    "**Try:** skip every second column (`column += 2u` for `column++`). Twice as fast, and the check says how wrong.",
  gradBlockedTitle: "Parts and blocks",
  gradBlocked1:
    "To have threads enough, the rows of all pictures are dealt out to *parts*. Each part sums its own rows, and a small second kernel adds up the parts, always in the same order, so that results repeat to the last bit. And as in step 3, a thread keeps a block of sums: all weights of one input channel to 16 output channels. A value of `dy` then serves nine sums, and a pixel up to 48: three places of the window in 16 channels.",
  gradSharedTitle: "Shared, and fetched ahead",
  gradShared1:
    "Steps 5 and 6 for sums: the workgroup copies a piece of the rows, pixels and `dy`, into workgroup memory while the threads still add up the piece before.",
  gradRollingTitle: "One row down at a time",
  gradRolling1:
    "Step c loads a row of pixels once for each row of the window: three times for 3 × 3. Here the workgroup walks down a strip of the picture, and the rows that the window sees stay in workgroup memory. Each step down adds one row of pixels and one of `dy`. The rows lie in a ring with one place to spare, so that the next row can arrive while slower threads still read the others: one barrier for each row is enough.",
  gradRolling2:
    "Addresses are computed once for the whole way down, and workgroup memory is read four values at a time. This is the kernel that the library runs on real cards.",
  restPart: "What is left",
  rest1:
    "The ceiling is what your card did just before and after with multiply-adds in registers alone, without a single load. No convolution reaches it: addresses have to be computed, loops counted, values moved. On large cards of a data centre, step 6 gets to about 60 %, and step d to about half. What a share tells you is whether it is worth looking further. Choose another convolution above and run again: with few channels there is less to share, and other steps win.",
  rest2:
    "The programs on this page are the library's own, not copies: `src/kernels/conv2d` has them in the same order, with the rules by which it chooses one for your card.",
  trainingLead:
    "A network of three convolutions learns to sharpen one small picture. Everything drawn below is read from your card in the middle of training: what the layers see, how the loss would change, and the weights as they move.",
  picture: "Picture",
  ownPicture: "Your own…",
  learningRate: "Learning rate",
  stepsBetween: "Steps between two drawings",
  oneStep: "One step",
  beginAnew: "Begin anew",
  forwardTitle: "1. Forward",
  forwardText:
    "The input is the target at half its size, enlarged again by interpolation. The first layer's windows, 5 × 5 pixels in three colours, slide over it. (The network gets it less 0.5, so that its values lie around 0.)",
  featuresTitle: "Feature maps",
  featuresText:
    "What each layer makes of it, after ReLU: black is 0. The first layer finds edges and colours, the second combines them. Code: `Conv2d.forward` in `src/nn/layers.ts`, which calls `conv2d`, and `relu`, which the training step in `site/kernels/training.ts` calls itself.",
  lossTitle: "2. Loss",
  lossText:
    "The loss is the mean square of what output and target differ by. The last layer's result is added to the input, so what the network learns is the difference. Code: `mseLoss` in `src/kernels/loss`.",
  backwardTitle: "3. Backward",
  backwardText:
    "How the loss would change with every single value: orange, it would grow if this value grew; blue, it would fall. It begins at the output, where it is the difference from the target (times 2, divided by the number of values), and goes back layer by layer through the chain rule. Code: `backward` in `src/tensor/tape.ts`, which calls each operation's own rule.",
  updateTitle: "4. Update",
  updateText:
    "The first layer's weights as small colour pictures: grey is 0, a bright red spot adds the red of the pixel there. Beside them their gradients, and what has changed since the first drawing: out of noise, edges and spots of colour appear. Adam moves each weight against its gradient, by about the learning rate. Code: `Adam.step` in `src/nn/optimizer.ts`, one kernel for all weights.",
  private: "Everything runs in this browser. Nothing is uploaded.",
  enlargeLink: "Enlarge a picture",
  languageLabel: "Language",
  lessons: "Lessons",
  runLabel: "Run the steps",
  measureProgress: "Progress of the measurement",
  results: "Results",
  controlTraining: "Control the training",
};

/** The lesson's fixed texts. */
export type Prose = { readonly [K in keyof typeof englishProse]: string };
