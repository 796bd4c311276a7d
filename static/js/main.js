// Where the page's scripts begin; set-up joins it and all that it imports into one file.
import { followActions } from "./actions.js";
import { announceChanges } from "./announce.js";
import { offerAppearances } from "./appearance.js";
import { openDialogs } from "./dialogs.js";
import { keepFocus } from "./focus.js";
import { listenToKeys } from "./keys.js";
import { lockWhileOffline } from "./offline.js";
import { runPlanningRoom } from "./planning.js";
import { refresh, refreshAgeingParts } from "./refresh.js";
import { playReadySound } from "./sound.js";
import { followServer } from "./stream.js";
import { limitUndo } from "./undo.js";
import { keepUnsavedChanges } from "./unsaved.js";

announceChanges();
lockWhileOffline(refresh);
followActions();
keepFocus();
refreshAgeingParts();
followServer();
openDialogs();
offerAppearances();
listenToKeys();
playReadySound();
runPlanningRoom();
keepUnsavedChanges();
limitUndo();
