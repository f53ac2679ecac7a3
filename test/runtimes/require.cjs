const pixelgrad = require("pixelgrad");

import("./use.js").then(({ use }) => use(pixelgrad)).then((answer) => console.log(JSON.stringify(answer)));
