#include "engine/folders.h"

#include <string.h>
#include <strings.h>

#include "engine/special.h"
#include "imap/mutf7.h"

static const char *const attributes[SPECIAL__COUNT] = {
    [SPECIAL_ALL] = "\\All",
    [SPECIAL_ARCHIVE] = "\\Archive",
    [SPECIAL_DRAFTS] = "\\Drafts",
    [SPECIAL_FLAGGED] = "\\Flagged",
    [SPECIAL_JUNK] = "\\Junk",
    [SPECIAL_SENT] = "\\Sent",
    [SPECIAL_TRASH] = "\\Trash",
};

/* The names mail programs and servers give these folders, likeliest first.  \All and \Flagged are views that
 * no program creates by name. */
static const struct {
	enum special_use use;
	const char *name;
} names[] = {
    {SPECIAL_ARCHIVE, "Archive"},
    {SPECIAL_ARCHIVE, "Archives"},
    {SPECIAL_ARCHIVE, "Archiv"},
    {SPECIAL_DRAFTS, "Drafts"},
    {SPECIAL_DRAFTS, "Draft"},
    {SPECIAL_DRAFTS, "Entwürfe"},
    {SPECIAL_DRAFTS, "Brouillons"},
    {SPECIAL_DRAFTS, "Borradores"},
    {SPECIAL_DRAFTS, "Bozze"},
    {SPECIAL_DRAFTS, "Concepten"},
    {SPECIAL_DRAFTS, "Rascunhos"},
    {SPECIAL_DRAFTS, "Utkast"},
    {SPECIAL_DRAFTS, "Szkice"},
    {SPECIAL_DRAFTS, "Wersje robocze"},
    {SPECIAL_DRAFTS, "Черновики"},
    {SPECIAL_DRAFTS, "下書き"},
    {SPECIAL_JUNK, "Junk"},
    {SPECIAL_JUNK, "Spam"},
    {SPECIAL_JUNK, "Junk E-Mail"},
    {SPECIAL_JUNK, "Junk Email"},
    {SPECIAL_JUNK, "Junk-E-Mail"},
    {SPECIAL_JUNK, "Bulk Mail"},
    {SPECIAL_JUNK, "Courrier indésirable"},
    {SPECIAL_JUNK, "Indésirables"},
    {SPECIAL_JUNK, "Correo no deseado"},
    {SPECIAL_JUNK, "Posta indesiderata"},
    {SPECIAL_JUNK, "Ongewenste e-mail"},
    {SPECIAL_JUNK, "Skräppost"},
    {SPECIAL_JUNK, "Wiadomości-śmieci"},
    {SPECIAL_JUNK, "Спам"},
    {SPECIAL_JUNK, "迷惑メール"},
    {SPECIAL_SENT, "Sent"},
    {SPECIAL_SENT, "Sent Items"},
    {SPECIAL_SENT, "Sent Messages"},
    {SPECIAL_SENT, "Sent Mail"},
    {SPECIAL_SENT, "Gesendet"},
    {SPECIAL_SENT, "Gesendete Elemente"},
    {SPECIAL_SENT, "Gesendete Objekte"},
    {SPECIAL_SENT, "Éléments envoyés"},
    {SPECIAL_SENT, "Messages envoyés"},
    {SPECIAL_SENT, "Envoyés"},
    {SPECIAL_SENT, "Envoyé"},
    {SPECIAL_SENT, "Elementos enviados"},
    {SPECIAL_SENT, "Enviados"},
    {SPECIAL_SENT, "Posta inviata"},
    {SPECIAL_SENT, "Inviata"},
    {SPECIAL_SENT, "Verzonden items"},
    {SPECIAL_SENT, "Verzonden"},
    {SPECIAL_SENT, "Skickat"},
    {SPECIAL_SENT, "Wysłane"},
    {SPECIAL_SENT, "Elementy wysłane"},
    {SPECIAL_SENT, "Отправленные"},
    {SPECIAL_SENT, "送信済みアイテム"},
    {SPECIAL_SENT, "送信済み"},
    {SPECIAL_TRASH, "Trash"},
    {SPECIAL_TRASH, "Deleted Items"},
    {SPECIAL_TRASH, "Deleted Messages"},
    {SPECIAL_TRASH, "Bin"},
    {SPECIAL_TRASH, "Papierkorb"},
    {SPECIAL_TRASH, "Gelöschte Elemente"},
    {SPECIAL_TRASH, "Gelöschte Objekte"},
    {SPECIAL_TRASH, "Corbeille"},
    {SPECIAL_TRASH, "Éléments supprimés"},
    {SPECIAL_TRASH, "Papelera"},
    {SPECIAL_TRASH, "Elementos eliminados"},
    {SPECIAL_TRASH, "Cestino"},
    {SPECIAL_TRASH, "Posta eliminata"},
    {SPECIAL_TRASH, "Prullenbak"},
    {SPECIAL_TRASH, "Verwijderde items"},
    {SPECIAL_TRASH, "Lixeira"},
    {SPECIAL_TRASH, "Papperskorgen"},
    {SPECIAL_TRASH, "Kosz"},
    {SPECIAL_TRASH, "Elementy usunięte"},
    {SPECIAL_TRASH, "Корзина"},
    {SPECIAL_TRASH, "Удаленные"},
    {SPECIAL_TRASH, "ごみ箱"},
    {SPECIAL_TRASH, "削除済みアイテム"},
};

enum special_use folder_special(const char *attribute)
{
	for (enum special_use s = SPECIAL_ALL; s < SPECIAL__COUNT; s++) {
		if (strcasecmp(attributes[s], attribute) == 0)
			return s;
	}
	return SPECIAL_NONE;
}

/* The rank (1 is best) of a folder's name among those of use; 0 for a name that says nothing. Only folders at
 * the top, or right below the prefix, count. */
static unsigned rank_of(const struct folder_set *set, const struct folder *f, enum special_use use)
{
	AUTO_BUF struct buf shown = BUF_INIT;
	size_t prefix = strlen(set->prefix);
	const char *name = f->name;
	if (prefix > 0 && strncasecmp(name, set->prefix, prefix) == 0)
		name += prefix;
	if (set->separator != '\0' && strchr(name, set->separator) != NULL)
		return 0;
	mutf7_display(name, strlen(name), &shown);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].use == use && strcasecmp(names[i].name, shown.data) == 0)
			return (unsigned)i + 1;
	}
	return 0;
}

const struct folder *special_folder(const struct folder_set *set, enum special_use use)
{
	const struct folder *best = NULL;
	unsigned best_rank = 0;

	for (unsigned i = 0; i < set->count; i++) {
		if (set->items[i].special == use && set->items[i].selectable)
			return &set->items[i];
	}
	for (unsigned i = 0; i < set->count; i++) {
		unsigned rank = set->items[i].selectable ? rank_of(set, &set->items[i], use) : 0;
		if (rank > 0 && (best == NULL || rank < best_rank)) {
			best = &set->items[i];
			best_rank = rank;
		}
	}
	return best;
}
