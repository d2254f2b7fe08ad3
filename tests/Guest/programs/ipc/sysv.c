// SPDX-License-Identifier: Apache-2.0
// syscalls: shmget shmat shmdt shmctl semget semop semtimedop semctl msgget msgsnd msgrcv msgctl
// System V's shared memory, semaphores and message queues.
#include "../guest.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

union arg {
    int value;
    struct semid_ds *status;
    unsigned short *array;
};

TEST(shared_memory) {
    int id = OK(shmget(IPC_PRIVATE, 8192, IPC_CREAT | 0600));
    char *p = shmat(id, NULL, 0);
    CHECK(p != (void *)-1);
    CHECK_EQ(p[8191], 0);
    CHECK_EXIT(CHILD(strcpy(p, "from the child")), 0);
    CHECK_STR(p, "from the child");
    char *q = shmat(id, NULL, SHM_RDONLY);
    CHECK(q != (void *)-1 && q != p);
    CHECK_STR(q, "from the child");
    CHECK_KILLED(CHILD(q[0] = 'x'), SIGSEGV);
    struct shmid_ds d;
    OK(shmctl(id, IPC_STAT, &d));
    CHECK_EQ(d.shm_segsz, 8192);
    CHECK_EQ(d.shm_nattch, 2);
    CHECK_EQ(d.shm_cpid, getpid());
    CHECK_EQ(d.shm_perm.mode & 0777, 0600);
    OK(shmdt(q));
    CHECK_ERR(shmdt(q), EINVAL);
    OK(shmctl(id, IPC_RMID, NULL));
    // Removed, but alive until the last one lets go.
    CHECK_STR(p, "from the child");
    OK(shmdt(p));
    CHECK_ERR(shmctl(id, IPC_STAT, &d), EINVAL);
}
TEST(shared_memory_by_key) {
    int id = OK(shmget(0x1234, 100, IPC_CREAT | IPC_EXCL | 0600));
    CHECK_ERR(shmget(0x1234, 100, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
    CHECK_EQ(shmget(0x1234, 50, 0), id);
    CHECK_ERR(shmget(0x1234, 10000, 0), EINVAL);
    CHECK_ERR(shmget(0x9999, 100, 0), ENOENT);
    CHECK_ERR(shmget(IPC_PRIVATE, 0, IPC_CREAT), EINVAL);
    CHECK_ERR((long)shmat(id, (void *)1, 0), EINVAL);
    CHECK_ERR((long)shmat(99999999, NULL, 0), EINVAL);
    OK(shmctl(id, IPC_RMID, NULL));
    CHECK_ERR(shmctl(id, 9999, NULL), EINVAL);
}
TEST(an_attachment_ends_with_the_process) {
    int id = OK(shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600));
    CHECK_EXIT(CHILD(CHECK(shmat(id, NULL, 0) != (void *)-1)), 0);
    struct shmid_ds d;
    OK(shmctl(id, IPC_STAT, &d));
    CHECK_EQ(d.shm_nattch, 0);
    OK(shmctl(id, IPC_RMID, NULL));
}
TEST(semaphores) {
    int id = OK(semget(IPC_PRIVATE, 2, IPC_CREAT | 0600));
    CHECK_EQ(semctl(id, 0, GETVAL), 0);
    union arg a = {.value = 3};
    OK(semctl(id, 0, SETVAL, a));
    struct sembuf both[2] = {{0, -2, 0}, {1, 1, 0}}, no = {0, -2, IPC_NOWAIT}, zero = {0, 0, IPC_NOWAIT};
    OK(semop(id, both, 2));
    CHECK_EQ(semctl(id, 0, GETVAL), 1);
    CHECK_EQ(semctl(id, 1, GETVAL), 1);
    CHECK_EQ(semctl(id, 0, GETPID), getpid());
    CHECK_ERR(semop(id, &no, 1), EAGAIN);
    CHECK_ERR(semop(id, &zero, 1), EAGAIN);
    // All or nothing.
    both[1] = (struct sembuf){0, -9, IPC_NOWAIT};
    both[0] = (struct sembuf){1, 1, IPC_NOWAIT};
    CHECK_ERR(semop(id, both, 2), EAGAIN);
    CHECK_EQ(semctl(id, 1, GETVAL), 1);
    unsigned short values[2] = {7, 8};
    a.array = values;
    OK(semctl(id, 0, SETALL, a));
    values[0] = values[1] = 0;
    OK(semctl(id, 0, GETALL, a));
    CHECK_EQ(values[0] * 10 + values[1], 78);
    struct semid_ds d;
    a.status = &d;
    OK(semctl(id, 0, IPC_STAT, a));
    CHECK_EQ(d.sem_nsems, 2);
    OK(semctl(id, 0, IPC_RMID));
    CHECK_ERR(semop(id, &no, 1), EINVAL);
}
TEST(semaphore_waits) {
    int id = OK(semget(IPC_PRIVATE, 1, IPC_CREAT | 0600));
    struct sembuf down = {0, -1, 0}, up = {0, 1, 0};
    pid_t pid = CHILD(OK(semop(id, &down, 1)));
    sleep_ms(20);
    CHECK_EQ(semctl(id, 0, GETNCNT), 1);
    OK(semop(id, &up, 1));
    CHECK_EXIT(pid, 0);
    struct timespec t = {0, 20000000};
    double begin = seconds();
    CHECK_ERR(semtimedop(id, &down, 1, &t), EAGAIN);
    CHECK(seconds() - begin >= 0.019);
    pid = CHILD(CHECK_ERR(semop(id, &down, 1), EIDRM));
    sleep_ms(20);
    OK(semctl(id, 0, IPC_RMID));
    CHECK_EXIT(pid, 0);
}
TEST(semaphore_undo) {
    int id = OK(semget(IPC_PRIVATE, 1, IPC_CREAT | 0600));
    union arg a = {.value = 5};
    OK(semctl(id, 0, SETVAL, a));
    struct sembuf down = {0, -3, SEM_UNDO};
    CHECK_EXIT(CHILD(OK(semop(id, &down, 1)); CHECK_EQ(semctl(id, 0, GETVAL), 2)), 0);
    CHECK_EQ(semctl(id, 0, GETVAL), 5);
    OK(semctl(id, 0, IPC_RMID));
}
TEST(semaphore_refusals) {
    int id = OK(semget(0x77, 2, IPC_CREAT | 0600));
    struct sembuf s = {9, 1, 0};
    union arg a = {.value = 99999};
    CHECK_ERR(semop(id, &s, 1), EFBIG);
    CHECK_ERR(semop(id, &s, 0), EINVAL);
    CHECK_ERR(semop(id, BAD_POINTER, 1), EFAULT);
    CHECK_ERR(semctl(id, 0, SETVAL, a), ERANGE);
    CHECK_ERR(semctl(id, 9, GETVAL), EINVAL);
    CHECK_ERR(semget(0x77, 3, 0), EINVAL);
    CHECK_ERR(semget(0x78, 1, 0), ENOENT);
    CHECK_ERR(semget(0x77, 2, IPC_CREAT | IPC_EXCL), EEXIST);
    OK(semctl(id, 0, IPC_RMID));
}
struct message {
    long type;
    char text[64];
};
TEST(messages) {
    int id = OK(msgget(IPC_PRIVATE, IPC_CREAT | 0600));
    struct message m = {1, "first"}, in;
    OK(msgsnd(id, &m, 6, 0));
    m = (struct message){2, "second"};
    OK(msgsnd(id, &m, 7, 0));
    m = (struct message){3, "third"};
    OK(msgsnd(id, &m, 6, 0));
    struct msqid_ds d;
    OK(msgctl(id, IPC_STAT, &d));
    CHECK_EQ(d.msg_qnum, 3);
    CHECK_EQ(d.msg_cbytes, 19);
    CHECK_EQ(msgrcv(id, &in, 64, 2, 0), 7);
    CHECK_STR(in.text, "second");
    CHECK_EQ(msgrcv(id, &in, 64, -3, 0), 6);
    CHECK_STR(in.text, "first");
    CHECK_ERR(msgrcv(id, &in, 2, 0, 0), E2BIG);
    CHECK_EQ(msgrcv(id, &in, 2, 0, MSG_NOERROR), 2);
    CHECK_ERR(msgrcv(id, &in, 64, 0, IPC_NOWAIT), ENOMSG);
    OK(msgctl(id, IPC_RMID, NULL));
    CHECK_ERR(msgsnd(id, &m, 6, 0), EINVAL);
}
TEST(message_waits) {
    int id = OK(msgget(IPC_PRIVATE, IPC_CREAT | 0600));
    pid_t pid = CHILD(sleep_ms(20); struct message m = {.type = 5}; strcpy(m.text, "late"); OK(msgsnd(id, &m, 5, 0)));
    struct message in;
    CHECK_EQ(msgrcv(id, &in, 64, 5, 0), 5);
    CHECK_STR(in.text, "late");
    CHECK_EXIT(pid, 0);
    pid = CHILD(CHECK_ERR(msgrcv(id, &in, 64, 0, 0), EIDRM));
    sleep_ms(20);
    OK(msgctl(id, IPC_RMID, NULL));
    CHECK_EXIT(pid, 0);
}
TEST(message_refusals) {
    int id = OK(msgget(0x55, IPC_CREAT | 0600));
    struct message m = {0, "x"};
    CHECK_ERR(msgsnd(id, &m, 1, 0), EINVAL);
    m.type = 1;
    CHECK_ERR(msgsnd(id, &m, 100000, 0), EINVAL);
    CHECK_ERR(msgsnd(id, BAD_POINTER, 1, 0), EFAULT);
    CHECK_ERR(msgget(0x55, IPC_CREAT | IPC_EXCL), EEXIST);
    CHECK_ERR(msgget(0x56, 0), ENOENT);
    static char big[8192 + 8];
    ((struct message *)big)->type = 1;
    OK(msgsnd(id, big, 8000, 0));
    OK(msgsnd(id, big, 8000, 0));
    CHECK_ERR(msgsnd(id, big, 8000, IPC_NOWAIT), EAGAIN);
    OK(msgctl(id, IPC_RMID, NULL));
}
